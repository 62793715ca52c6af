package probes

import (
	"runtime"
	"runtime/debug"
)

// buildVersion is what the build has put into the program: its module and version, that of this module where it is a
// dependency, and the Go release.
func buildVersion() string {
	text := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		text = info.Main.Path + " " + info.Main.Version
		for _, dep := range info.Deps {
			if dep.Path == thisModule {
				text += ", " + dep.Path + " " + dep.Version
			}
		}
	}
	return text + ", " + runtime.Version()
}

const thisModule = "github.com/vitals-go/vitals"
