package resource_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

// gopsutil takes a /proc that is hidden or empty for a machine without memory and without CPUs.
func TestUnreadableProcIsAnError(t *testing.T) {
	for _, name := range []string{"", "stat"} {
		proc := t.TempDir()
		t.Setenv("HOST_PROC", proc)
		if name != "" {
			if err := os.WriteFile(filepath.Join(proc, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		list, err := resource.ChecksOn(resource.ThisHost, fstest.MapFS{}, resource.Config{Limits: map[string]checker.Limit{"load": checker.Above(9)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, check := range list {
			switch check.Name {
			case "cpu_usage", "memory_usage", "load":
				if m, err := check.Measure(t.Context()); err == nil || strings.Contains(err.Error(), "%!") {
					t.Errorf("%s: got %+v and %v, want an error", check.Name, m, err)
				}
			}
		}
	}
}
