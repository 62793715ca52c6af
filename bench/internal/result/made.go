package result

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Made says where figures come from: when, with which command, on what.
type Made struct {
	Date      string   `json:"date"` // UTC, as 2006-01-02
	Command   string   `json:"command"`
	Processor string   `json:"processor"`
	Cores     int      `json:"cores"`
	Go        string   `json:"go"`
	Peers     []string `json:"peers"` // modules and versions, as "google.golang.org/grpc v1.85.0"
}

// Here describes this machine, now, and the versions of the peers that were linked, which are modules' paths.
func Here(command string, peers ...string) Made {
	return Made{
		Date: time.Now().UTC().Format(time.DateOnly), Command: command,
		Processor: processor(), Cores: runtime.NumCPU(), Go: runtime.Version(), Peers: versions(peers),
	}
}

// String is the line below a table or a chart.
func (m Made) String() string {
	return fmt.Sprintf("Measured %s with `%s` on %s, %d cores, %s.", m.Date, m.Command, m.Processor, m.Cores, m.Go)
}

// processor names the CPU as the kernel does.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if name, found := strings.CutPrefix(line, "model name"); found {
			return strings.Trim(name, " \t:\n")
		}
	}
	return runtime.GOARCH
}

func versions(peers []string) (list []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, dep := range info.Deps {
		if slices.Contains(peers, dep.Path) {
			list = append(list, dep.Path+" "+dep.Version)
		}
	}
	return list
}
