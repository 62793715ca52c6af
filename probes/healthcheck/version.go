package healthcheck

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// buildVersion returns the main module and its version, the version of this module if it is a dependency, and the Go
// release.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown, " + runtime.Version()
	}
	texts := []string{info.Main.Path + " " + info.Main.Version}
	for _, dep := range info.Deps {
		if dep.Path == thisModule {
			texts = append(texts, dep.Path+" "+dep.Version)
		}
	}
	return strings.Join(append(texts, runtime.Version()), ", ")
}

const thisModule = "github.com/vitals-go/vitals"
