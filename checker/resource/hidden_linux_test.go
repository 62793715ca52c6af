package resource_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/checker/resource"
)

// gopsutil takes a /proc that is hidden or empty for a machine without memory and without CPUs. What is not there is left
// out; of the CPU time that of the process is known.
func TestWhatHiddenProcLacksIsLeftOut(t *testing.T) {
	for _, name := range []string{"", "stat"} {
		proc := t.TempDir()
		t.Setenv("HOST_PROC", proc)
		if name != "" {
			if err := os.WriteFile(filepath.Join(proc, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		checks := newChecks(t, config{Host: resource.ThisHost, Process: resource.ThisProcess})
		for _, name := range []string{"memory_usage", "load", "pids"} {
			if _, there := checks[name]; there {
				t.Errorf("%s is there", name)
			}
		}
		if m := measure(t, checks, "cpu_usage"); !strings.Contains(m.Source, "this process only") {
			t.Errorf("measured %+v", m)
		}
	}
}
