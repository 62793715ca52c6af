package resource_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func TestMemoryFollowsAResizeInPlace(t *testing.T) {
	files := tree(t, "docker-v2")
	checks := newChecks(t, config{Files: files})
	files["sys/fs/cgroup/memory.max"].Data = []byte("1073741824\n")
	wantMeasurement(t, measure(t, checks, "memory_usage"), 18.75, "of the cgroup limit (1 GiB)")
}

func TestMemoryOfTheGroupWithoutTheHost(t *testing.T) {
	host := newMachine()
	host.err = errBroken
	host.memory = resource.Usage{}
	checks := newChecks(t, config{Host: host, Files: tree(t, "docker-v2")})
	wantMeasurement(t, measure(t, checks, "memory_usage"), 37.5, "of the cgroup limit (512 MiB)")
}

// The sample that New takes has failed; the first measurement replaces it, even if it comes too soon to measure anything.
func TestCPUIsMeasuredSinceTheFirstSampleThatSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		host.err = errBroken
		checks := newChecks(t, config{Host: host, Files: tree(t, "unlimited-v2")})
		host.err = nil
		time.Sleep(100 * time.Millisecond)
		if _, err := checks["cpu_usage"].Measure(t.Context()); !errors.Is(err, checker.ErrInconclusive) {
			t.Errorf("got %v, want no result", err)
		}
		time.Sleep(time.Minute)
		host.cpu.Busy, host.cpu.Total = host.cpu.Busy+60, host.cpu.Total+240
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 25, "of the host (4 CPUs) over a minute")
	})
}

func TestFirstCPUReadingDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		used := time.Second
		host := newMachine()
		checks := newChecks(t, config{Host: host, Process: func() (time.Duration, int, error) { return used, 4, nil }})
		used += 40 * time.Millisecond
		host.cpu.Busy, host.cpu.Total = host.cpu.Busy+.04, host.cpu.Total+.04
		// Neither these busy milliseconds nor what the machine did since boot say how busy it is.
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 1, "of 4 CPUs, this process only, since the start")

		files := tree(t, "docker-v2")
		checks = newChecks(t, config{Files: files})
		files["sys/fs/cgroup/cpu.stat"].Data = []byte("usage_usec 40150000\n")
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 10, "of the cgroup limit (1.5 CPUs), since the start")
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %v for a sample", waited)
		}
	})
}

func TestCPUReadingsInQuickSuccessionRepeatTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := tree(t, "docker-v2")
		use := func(micros int) {
			files["sys/fs/cgroup/cpu.stat"].Data = fmt.Appendln(nil, "usage_usec", 40_000_000+micros)
		}
		checks := newChecks(t, config{Files: files})
		time.Sleep(10 * time.Second)
		use(7_500_000)
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the cgroup limit (1.5 CPUs)")
		time.Sleep(10 * time.Millisecond)
		use(7_515_000) // 100 %
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the cgroup limit (1.5 CPUs)")
		time.Sleep(10*time.Second - 10*time.Millisecond)
		use(9_000_000)
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 10, "of the cgroup limit (1.5 CPUs)")
	})
}

// neighbor keeps the host's 4 CPUs busy, of which the process uses a twentieth.
func neighbor(host *machine) (process func() (time.Duration, int, error), pass func(time.Duration)) {
	used := time.Second
	return func() (time.Duration, int, error) { return used, 4, nil }, func(d time.Duration) {
		time.Sleep(d)
		used += d / 5
		host.cpu.Busy += 3.92 * d.Seconds()
		host.cpu.Total += 4 * d.Seconds()
	}
}

func TestBusyHostIsJudgedAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		process, pass := neighbor(host)
		checks := newChecks(t, config{Host: host, Process: process})
		for range 59 {
			pass(time.Second)
			wantMeasurement(t, measure(t, checks, "cpu_usage"), 5, "of 4 CPUs, this process only")
		}
		pass(time.Second)
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 98, "of the host (4 CPUs) over a minute, 5% by this process")
		pass(5 * time.Minute)
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 98, "of the host (4 CPUs) over 5 minutes, 5% by this process")
	})
}

// A burst of ten seconds is a sixth of each minute that it is in, however often the check runs.
func TestBurstOfTheHostIsAveragedOverAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		process, pass := neighbor(host)
		checks := newChecks(t, config{Host: host, Process: process})
		for range 24 {
			time.Sleep(5 * time.Second)
			host.cpu.Total += 20
			measure(t, checks, "cpu_usage")
		}
		pass(5 * time.Second)
		measure(t, checks, "cpu_usage")
		pass(5 * time.Second)
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 98.0/6, "of the host (4 CPUs) over a minute, 0.8% by this process")
	})
}

// A /proc/stat of zeros, or one that stands still, and one that cannot be read.
func TestProcessCountsWhereTheHostIsUnknown(t *testing.T) {
	for _, spoil := range []func(*machine){
		func(host *machine) { host.cpu = resource.CPUTimes{CPUs: 4} },
		func(host *machine) {},
		func(host *machine) { host.err = errBroken },
		func(host *machine) { host.err = errors.ErrUnsupported },
	} {
		synctest.Test(t, func(t *testing.T) {
			host := newMachine()
			spoil(host)
			used := time.Second
			checks := newChecks(t, config{Host: host, Files: fstest.MapFS{
				"sys/devices/system/cpu/online": {Data: []byte("0-3\n")},
			}, Process: func() (time.Duration, int, error) { return used, 4, nil }})
			for range 4 {
				time.Sleep(30 * time.Second)
				used += 60 * time.Second
				wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of 4 CPUs, this process only")
			}
		})
	}
}

func TestDecreasingCPUCountersAreInconclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		checks := newChecks(t, config{Host: host})
		time.Sleep(time.Minute)
		host.cpu.Busy, host.cpu.Total = 1, 2
		if _, err := checks["cpu_usage"].Measure(t.Context()); !errors.Is(err, checker.ErrInconclusive) {
			t.Fatalf("got %v, want no evidence", err)
		}
		time.Sleep(time.Minute)
		host.cpu.Busy, host.cpu.Total = 121, 242
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the host (4 CPUs) over a minute")
	})
}

// Until the group has two readings against a new limit, and when it was made anew, the process's own use counts.
func TestNewLimitIsMeasuredByTheProcessFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := tree(t, "docker-v2")
		files["sys/fs/cgroup/cpu.max"].Data = []byte("max 100000\n")
		used := time.Second
		checks := newChecks(t, config{Files: files, Process: func() (time.Duration, int, error) { return used, 1, nil }})
		time.Sleep(10 * time.Second)
		used += 2 * time.Second
		files["sys/fs/cgroup/cpu.max"].Data = []byte("100000 100000\n")
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 20, "of the cgroup limit (1 CPU), this process only")
		time.Sleep(10 * time.Second)
		files["sys/fs/cgroup/cpu.stat"].Data = []byte("usage_usec 45000000\n")
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the cgroup limit (1 CPU)")
		time.Sleep(10 * time.Second)
		used += time.Second
		files["sys/fs/cgroup/cpu.stat"].Data = []byte("usage_usec 1000\n")
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 10, "of the cgroup limit (1 CPU), this process only")
	})
}

// In a container without limits, on a host that is gone or a limit that is: nothing stays unknown.
func TestRemovedLimitsAreNoErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := tree(t, "podman-v2")
		used := time.Second
		checks := newChecks(t, config{Files: files, Process: func() (time.Duration, int, error) { return used, 0, nil }})
		for _, name := range []string{"cpu.max", "memory.max", "pids.max"} {
			files["sys/fs/cgroup/"+name].Data = []byte("max 100000\n")
		}
		time.Sleep(10 * time.Second)
		used += 4 * time.Second
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 10, "of 4 CPUs, this process only")
		wantMeasurement(t, measure(t, checks, "memory_usage"), 25, "of the host (24 GiB)")
		wantMeasurement(t, measure(t, checks, "pids"), 0, "of no limit")
		wantMeasurement(t, measure(t, checks, "cpu_throttling"), 0, "of the scheduling periods")
	})
}

func TestFailingSensorIsAnError(t *testing.T) {
	host := newMachine()
	checks := newChecks(t, config{Host: host})
	host.err = errBroken
	host.disk = func(string) (resource.Usage, error) { return resource.Usage{}, errBroken }
	for _, name := range []string{"cpu_usage", "memory_usage", "disk_usage", "load"} {
		_, err := checks[name].Measure(t.Context())
		if !errors.Is(err, errBroken) || errors.Is(err, checker.ErrInconclusive) {
			t.Errorf("%s: got %v, want the host's error and nothing milder", name, err)
		}
	}
	host.err = nil
	if got, err := checks["cpu_usage"].Measure(t.Context()); !errors.Is(err, checker.ErrInconclusive) {
		t.Errorf("after the sensor's recovery: %+v, %v", got, err)
	}
}

func TestUnsupportedChecksAreLeftOut(t *testing.T) {
	host := newMachine()
	host.err = errors.ErrUnsupported
	checks := newChecks(t, config{Host: host})
	for _, name := range []string{"cpu_usage", "memory_usage", "load", "pids", "cpu_throttling", "cpu_pressure"} {
		if _, there := checks[name]; there {
			t.Errorf("%s is there", name)
		}
	}
}
