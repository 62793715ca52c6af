package resource_test

import (
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func newSampler(t *testing.T, cfg config) resource.Machine {
	if cfg.Host == nil {
		cfg.Host = newMachine()
	}
	if cfg.Files == nil {
		cfg.Files = tree(t, "unlimited-v2")
	}
	return resource.MachineOn(cfg.Host, resource.NewMemo(cfg.Files), nil)
}

func takeCPU(t *testing.T, s resource.Machine) resource.CPUSample {
	t.Helper()
	sample, err := resource.SampleOf(s, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sample
}

func wantShare(t *testing.T, now, before resource.CPUSample, want float64) {
	t.Helper()
	if got, err := now.Since(before); err != nil || math.Abs(got-want) > 1e-9 {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestSamplesMeasureAnyInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		s := newSampler(t, config{Host: host})
		first := takeCPU(t, s)
		time.Sleep(100 * time.Millisecond) // far less than a check needs
		host.cpu.Busy, host.cpu.Total = host.cpu.Busy+0.3, host.cpu.Total+0.4
		second := takeCPU(t, s)
		wantShare(t, second, first, 0.75)
		time.Sleep(100 * time.Millisecond)
		host.cpu.Total += 0.4
		third := takeCPU(t, s)
		wantShare(t, third, second, 0)
		wantShare(t, third, first, 0.375)
	})
}

func TestSamplerReadsTheControlGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := tree(t, "docker-v2")
		s := newSampler(t, config{Files: files})
		before := takeCPU(t, s)
		time.Sleep(time.Second)
		files["sys/fs/cgroup/cpu.stat"].Data = []byte("usage_usec 41200000\n") // 1.2 of 1.5 CPUs
		wantShare(t, takeCPU(t, s), before, 0.8)
		if share, err := resource.MemoryOf(s, t.Context()); err != nil || share != 0.375 {
			t.Errorf("memory: got %v, %v", share, err)
		}
	})
}

// countingFiles counts who looks where the control groups are.
type countingFiles struct {
	fstest.MapFS

	looked atomic.Int64
}

func (f *countingFiles) ReadFile(name string) ([]byte, error) {
	if name == "proc/self/mountinfo" {
		f.looked.Add(1)
	}
	return f.MapFS.ReadFile(name)
}

func TestSamplerCachesTheLocationOfItsGroup(t *testing.T) {
	files := &countingFiles{MapFS: tree(t, "docker-v2")}
	s := newSampler(t, config{Files: files})
	for range 10 {
		takeCPU(t, s)
		if share, err := resource.MemoryOf(s, t.Context()); err != nil || share != 0.375 {
			t.Errorf("memory: got %v, %v", share, err)
		}
	}
	if n := files.looked.Load(); n != 1 {
		t.Errorf("it looked %d times", n)
	}
}

func TestSamplerRefreshesTheLocationOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := tree(t, "docker-v2")
		where := files["proc/self/mountinfo"].Data
		files["proc/self/mountinfo"].Data = nil // not mounted yet
		s := newSampler(t, config{Files: files})
		if share, err := resource.MemoryOf(s, t.Context()); err != nil || share != 0.25 {
			t.Errorf("of the host: got %v, %v", share, err)
		}
		files["proc/self/mountinfo"].Data = where
		time.Sleep(61 * time.Second)
		if share, err := resource.MemoryOf(s, t.Context()); err != nil || share != 0.375 {
			t.Errorf("of the group: got %v, %v", share, err)
		}
	})
}

func TestSamplerFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		s := newSampler(t, config{Host: host})
		first := takeCPU(t, s)
		if _, err := first.Since(first); !errors.Is(err, checker.ErrInconclusive) {
			t.Errorf("no time between: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := takeCPU(t, s).Since(first); !errors.Is(err, checker.ErrInconclusive) {
			t.Errorf("a clock that stands still: %v", err)
		}
		host.err = errBroken
		if _, err := resource.SampleOf(s, t.Context()); !errors.Is(err, errBroken) {
			t.Errorf("CPU: %v", err)
		}
		if _, err := resource.MemoryOf(s, t.Context()); !errors.Is(err, errBroken) {
			t.Errorf("memory: %v", err)
		}
	})
}

// The process's own use counts against what Go lets it use, on the real machine only.
func TestSamplerIncludesTheProcess(t *testing.T) {
	switch runtime.GOOS {
	case "linux", "darwin", "freebsd", "netbsd", "openbsd":
	default:
		t.Skip("the CPU time of a process is not read on " + runtime.GOOS)
	}
	// The counters of this control group stand still.
	s := resource.MachineOn(newMachine(), tree(t, "docker-v2"), resource.ThisProcess)
	first := takeCPU(t, s)
	for busy := range 10_000 {
		for range 1_000_000 {
			runtime.KeepAlive(busy)
		}
		share, err := takeCPU(t, s).Since(first)
		if err != nil {
			t.Fatal(err)
		}
		if share > 0 {
			return
		}
	}
	t.Error("the process's own work is not seen")
}

func TestSamplesOfThisMachine(t *testing.T) {
	if _, err := resource.SampleCPU(t.Context(), resource.Config{}); err != nil {
		t.Errorf("CPU: %v", err)
	}
	if share, err := resource.MemoryUsage(t.Context(), resource.Config{}); err != nil || !(share > 0 && share <= 1) {
		t.Errorf("memory: %v, %v", share, err)
	}
}

// Without the process in the first sample its CPU time since the start would count as that of the interval.
func TestSampleIgnoresTheProcessIfTheFirstOneLacksIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		first := takeCPU(t, resource.MachineOn(host, tree(t, "unlimited-v2"), nil))
		time.Sleep(time.Millisecond) // far less than this process has run
		host.cpu.Total++
		wantShare(t, takeCPU(t, resource.MachineOn(host, tree(t, "unlimited-v2"), resource.ThisProcess)), first, 0)
	})
}
