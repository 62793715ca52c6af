package resource_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tree reads one of the recorded trees.
func tree(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	var current *fstest.MapFile
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			current = &fstest.MapFile{Mode: 0o444}
			files[strings.TrimSpace(name)] = current
		} else if current != nil {
			current.Data = append(current.Data, line...)
		}
	}
	return files
}

// machine is a fake Host. The zero value is idle and errs nowhere.
type machine struct {
	mu     sync.Mutex
	cpu    resource.CPUTimes
	memory resource.Usage
	load   float64
	err    error                                // of CPU, Memory and Load
	disk   func(string) (resource.Usage, error) // nil: half full
	state  func(string) resource.Disk           // replaces disk
	asked  map[string]int                       // calls by method
}

func (m *machine) called(method string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked == nil {
		m.asked = map[string]int{}
	}
	m.asked[method]++
}

func (m *machine) calls(method string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[method]
}

func (m *machine) CPU(context.Context) (resource.CPUTimes, error) {
	m.called("CPU")
	return m.cpu, m.err
}

func (m *machine) Memory(context.Context) (resource.Usage, error) {
	m.called("Memory")
	return m.memory, m.err
}

func (m *machine) Load(context.Context) (float64, error) { return m.load, m.err }

func (m *machine) Disk(_ context.Context, path string) (resource.Disk, error) {
	m.called("Disk")
	if m.state != nil {
		return m.state(path), nil
	}
	if m.disk != nil {
		space, err := m.disk(path)
		return resource.Disk{Space: space}, err
	}
	return resource.Disk{Space: resource.Usage{Used: 1 << 30, Total: 2 << 30}}, nil
}

// newMachine has 24 GiB, 6 of them used, and 4 CPUs that were busy a quarter of the time since boot.
func newMachine() *machine {
	return &machine{
		memory: resource.Usage{Used: 6 << 30, Total: 24 << 30},
		cpu:    resource.CPUTimes{Busy: 1000, Total: 4000, CPUs: 4},
	}
}

// config is a resource.Config of a fake machine.
type config struct {
	CPU, Memory, Disk checker.Limit
	Limits            map[string]checker.Limit
	DiskPaths         []string
	Interval, Timeout time.Duration
	Host              resource.Host
	Files             fs.FS
	Process           func() (time.Duration, int, error)
	CPUs              float64
	MemoryBytes       uint64
}

func (c config) checks() ([]checker.Check, error) {
	if c.Host == nil {
		c.Host = newMachine()
	}
	if c.Files == nil {
		c.Files = fstest.MapFS{}
	}
	return resource.ChecksOn(resource.MachineOn(c.Host, c.Files, c.Process), resource.Config{
		CPUs: c.CPUs, MemoryBytes: c.MemoryBytes, CPU: c.CPU, Memory: c.Memory, Disk: c.Disk, Limits: c.Limits, DiskPaths: c.DiskPaths, Interval: c.Interval, Timeout: c.Timeout,
	})
}

// newChecks makes all checks that the machine offers, unless cfg sets Limits.
func newChecks(t testing.TB, cfg config) map[string]checker.Check {
	t.Helper()
	if cfg.Limits == nil {
		cfg.Limits = map[string]checker.Limit{}
		for _, name := range []string{
			"open_files", "pids", "goroutines", "gc_cpu", "load", "cpu_throttling", "cpu_pressure", "memory_pressure", "io_pressure",
		} {
			cfg.Limits[name] = checker.Above(1e9)
		}
	}
	list, err := cfg.checks()
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]checker.Check{}
	for _, check := range list {
		checks[check.Name] = check
	}
	return checks
}

func measure(t testing.TB, checks map[string]checker.Check, name string) checker.Measurement {
	t.Helper()
	check, ok := checks[name]
	if !ok {
		t.Fatalf("there is no check %q, only %v", name, slices.Sorted(maps.Keys(checks)))
	}
	m, err := check.Measure(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

func wantMeasurement(t testing.TB, got checker.Measurement, value float64, source string) {
	t.Helper()
	if diff := got.Value - value; diff < -0.05 || diff > 0.05 || got.Source != source {
		t.Errorf("measured %.2f%s %q, want %.2f %q", got.Value, got.Unit, got.Source, value, source)
	}
}

var errBroken = errors.New("the sensor is broken")
