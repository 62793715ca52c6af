package resource

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"github.com/vitals-go/vitals/checker"
)

// pressureCheck returns nil where the kernel does not report this kind of pressure.
func (m machine) pressureCheck(resource, line string) measure {
	p := pressure{m.files, resource, line}
	if _, err := p.measure(context.Background()); err != nil {
		return nil
	}
	return p.measure
}

// pressure reads one kind of pressure stall information: the share of time in which tasks waited.
type pressure struct {
	files    fs.FS
	resource string // cpu, memory or io, as the kernel names its files
	line     string // some or full
}

func (p pressure) measure(context.Context) (checker.Measurement, error) {
	if h, ok := findHierarchy(p.files, ""); ok && !rootGroup(p.files, h.dirs[0]) {
		text := readText(p.files, path.Join(h.dirs[0], p.resource+".pressure"))
		if share, ok := parsePressure(text, p.line); ok {
			return p.measurement(share, "in the cgroup"), nil
		}
	}
	share, ok := parsePressure(readText(p.files, "proc/pressure/"+p.resource), p.line)
	if !ok {
		return checker.Measurement{}, fmt.Errorf("no pressure information on %s: %w", p.resource, checker.ErrInconclusive)
	}
	return p.measurement(share, "on the host"), nil
}

func (p pressure) measurement(share float64, where string) checker.Measurement {
	return checker.Measurement{Value: share, Unit: "%", Source: "of the last minute " + where}
}

// rootGroup reports whether dir is the root of all groups, whose pressure is the host's: only the root has no cgroup.events.
func rootGroup(files fs.FS, dir string) bool {
	_, err := fs.Stat(files, path.Join(dir, "cgroup.events"))
	return err != nil
}
