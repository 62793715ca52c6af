package resource_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func TestMemoryIsMeasuredAgainstTheFullestLimit(t *testing.T) {
	for _, test := range []struct {
		tree   string
		value  float64
		source string
	}{
		{"docker-v2", 50, "of the cgroup limit (512 MiB)"}, // a quarter of the usage is inactive cache
		{"docker-v1", 50, "of the cgroup limit (1 GiB)"},
		{"nested-v2", 50, "of the cgroup limit (256 MiB)"}, // the pod's, sidecar included
		{"nested-v1", 50, "of the cgroup limit (1 GiB)"},
		{"hybrid", 30, "of the cgroup limit (1 GiB)"},
		{"cpuset-v2", 50, "of the cgroup limit (1 GiB)"}, // memory.high
		{"foreign-v2", 50, "of the cgroup limit (1 MiB)"},
		{"unlimited-v2", 25, "of the host (24 GiB)"}, // 16 TiB are no limit on this host
		{"broken-v2", 25, "of the host (24 GiB)"},
		{"broken-v1", 0, "of the cgroup limit (4 MiB)"}, // the level that makes sense
	} {
		t.Run(test.tree, func(t *testing.T) {
			checks := newChecks(t, config{Files: tree(t, test.tree)})
			wantMeasurement(t, measure(t, checks, "memory_usage"), test.value, test.source)
		})
	}
}

func TestMemoryFollowsAResizeInPlace(t *testing.T) {
	files := tree(t, "docker-v2")
	checks := newChecks(t, config{Files: files})
	files["sys/fs/cgroup/memory.max"].Data = []byte("1073741824\n")
	wantMeasurement(t, measure(t, checks, "memory_usage"), 25, "of the cgroup limit (1 GiB)")
}

func TestMemoryOfTheGroupWithoutTheHost(t *testing.T) {
	host := newMachine()
	host.err = errBroken
	host.memory = resource.Usage{}
	checks := newChecks(t, config{Host: host, Files: tree(t, "docker-v2")})
	wantMeasurement(t, measure(t, checks, "memory_usage"), 50, "of the cgroup limit (512 MiB)")
}

func TestCPUIsMeasuredAgainstTheFullestLimit(t *testing.T) {
	for _, test := range []struct {
		tree   string
		used   map[string]string // counters ten seconds later
		value  float64
		source string
	}{
		{
			"docker-v2",
			map[string]string{"sys/fs/cgroup/cpu.stat": "usage_usec 46000000"},
			40, "of the cgroup limit (1.5 CPUs)",
		},
		{
			"docker-v1",
			map[string]string{"sys/fs/cgroup/cpu,cpuacct/cpuacct.usage": "44500000000"},
			90, "of the cgroup limit (0.5 CPUs)",
		},
		{
			"nested-v2",
			map[string]string{
				"sys/fs/cgroup/kubepods.slice/pod1.slice/cpu.stat":               "usage_usec 68000000",
				"sys/fs/cgroup/kubepods.slice/pod1.slice/cri-app.scope/cpu.stat": "usage_usec 31000000",
			},
			80, "of the cgroup limit (1 CPU)", // the sidecar eats the pod's quota
		},
		{
			"nested-v1",
			map[string]string{
				"sys/fs/cgroup/cpuacct/app.slice/cpuacct.usage":             "45000000000",
				"sys/fs/cgroup/cpuacct/app.slice/api.service/cpuacct.usage": "21000000000",
			},
			25, "of the cgroup limit (2 CPUs)",
		},
		{
			"cpuset-v2",
			map[string]string{"mnt/control groups/batch/cpu.stat": "usage_usec 50000000"},
			50, "of the cgroup limit (2 CPUs)",
		},
		{"hybrid", nil, 75, "of the host (4 CPUs)"},
		{"unlimited-v2", nil, 75, "of the host (4 CPUs)"},
		{"broken-v2", nil, 75, "of the host (4 CPUs)"},
		{"broken-v1", nil, 75, "of the host (4 CPUs)"},
	} {
		t.Run(test.tree, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host, files := newMachine(), tree(t, test.tree)
				checks := newChecks(t, config{Host: host, Files: files})
				time.Sleep(10 * time.Second)
				for name, text := range test.used {
					files[name].Data = []byte(text + "\n")
				}
				host.cpu.Busy, host.cpu.Total = host.cpu.Busy+30, host.cpu.Total+40
				wantMeasurement(t, measure(t, checks, "cpu_usage"), test.value, test.source)
			})
		})
	}
}

func TestQuotaIsCappedAtTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := tree(t, "docker-v2")
		files["sys/fs/cgroup/cpu.max"].Data = []byte("6400000 100000\n")
		checks := newChecks(t, config{Files: files})
		time.Sleep(10 * time.Second)
		files["sys/fs/cgroup/cpu.stat"].Data = []byte("usage_usec 80000000\n")
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the cgroup limit (8 CPUs)")
	})
}

func TestFirstCPUReadingDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		host := newMachine()
		checks := newChecks(t, config{Host: host})
		host.cpu.Busy, host.cpu.Total = host.cpu.Busy+.04, host.cpu.Total+.04
		// Neither these busy milliseconds nor what the machine did since boot say how busy it is.
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 1, "of the host (4 CPUs) since the start")

		files := tree(t, "docker-v2")
		checks = newChecks(t, config{Files: files})
		files["sys/fs/cgroup/cpu.stat"].Data = []byte("usage_usec 40150000\n")
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 10, "of the cgroup limit (1.5 CPUs) since the start")
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %v for a sample", waited)
		}
	})
}

func TestCPUReadingsInQuickSuccessionRepeatTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		checks := newChecks(t, config{Host: host})
		time.Sleep(10 * time.Second)
		host.cpu.Busy, host.cpu.Total = 1020, 4040
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the host (4 CPUs)")
		time.Sleep(10 * time.Millisecond)
		host.cpu.Busy, host.cpu.Total = 1020.04, 4040.04 // a tick: 100 %
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the host (4 CPUs)")
		time.Sleep(10 * time.Second)
		host.cpu.Busy, host.cpu.Total = 1024, 4080
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 10, "of the host (4 CPUs)")
	})
}

func TestDecreasingCPUCountersAreInconclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		checks := newChecks(t, config{Host: host})
		time.Sleep(10 * time.Second)
		host.cpu.Busy, host.cpu.Total = 1, 2
		if _, err := checks["cpu_usage"].Measure(t.Context()); !errors.Is(err, checker.ErrInconclusive) {
			t.Fatalf("got %v, want no evidence", err)
		}
		time.Sleep(10 * time.Second)
		host.cpu.Busy, host.cpu.Total = 21, 42
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the host (4 CPUs)")
	})
}

func TestNewLimitIsMeasuredFromTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := tree(t, "docker-v2")
		files["sys/fs/cgroup/cpu.max"].Data = []byte("max 100000\n")
		checks := newChecks(t, config{Files: files})
		time.Sleep(10 * time.Second)
		files["sys/fs/cgroup/cpu.max"].Data = []byte("100000 100000\n")
		if _, err := checks["cpu_usage"].Measure(t.Context()); !errors.Is(err, checker.ErrInconclusive) {
			t.Fatalf("got %v, want no evidence", err)
		}
		time.Sleep(10 * time.Second)
		files["sys/fs/cgroup/cpu.stat"].Data = []byte("usage_usec 45000000\n")
		wantMeasurement(t, measure(t, checks, "cpu_usage"), 50, "of the cgroup limit (1 CPU)")
	})
}

func TestFailingSensorIsAnError(t *testing.T) {
	host := newMachine()
	host.err = errBroken
	host.disk = func(string) (resource.Usage, error) { return resource.Usage{}, errBroken }
	checks := newChecks(t, config{Host: host})
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
	for _, name := range []string{"cpu_usage", "load", "cpu_throttling", "cpu_pressure"} {
		if _, there := checks[name]; there {
			t.Errorf("%s is there", name)
		}
	}
}
