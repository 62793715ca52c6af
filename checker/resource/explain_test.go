package resource_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func TestExplainNamesFilesAndFormulas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := resource.MachineOn(newMachine(), nil, nil)
		limits := map[string]checker.Limit{"open_files": {}, "cpu_throttling": checker.Above(50)}
		text, err := resource.ExplainOn(m, t.Context(), tree(t, "docker-v2"), resource.Config{Limits: limits, DiskPaths: []string{}})
		want := `cpu     group / in /sys/fs/cgroup, version 2
cpuset  group / in /sys/fs/cgroup, version 2
memory  group / in /sys/fs/cgroup, version 2
pids    group / in /sys/fs/cgroup, version 2

cpu_usage  0% of the cgroup limit (1.5 CPUs)
  = CPU time used / (time passed × CPUs); CPU time of this process by getrusage, of the host in /proc/stat
  in /sys/devices/system/cpu
    online: 0-7
  in /sys/fs/cgroup
    cpu.max: 150000 100000
    cpuset.cpus.effective: 0-7
    cpu.stat: usage_usec 40000000
    cpu.stat: nr_periods 1000
    cpu.stat: nr_throttled 100

memory_usage  37.5% of the cgroup limit (512 MiB)
  = (usage - inactive_file - active_file - slab_reclaimable) / limit; of the host (MemTotal - MemAvailable) / MemTotal, in /proc/meminfo
  in /sys/fs/cgroup
    memory.max: 536870912
    memory.high: max
    memory.stat: inactive_file 134217728
    memory.stat: active_file 67108864
    memory.current: 402653184
  cat memory.current: 384 MiB; docker stats, kubectl top: 256 MiB
  free: 6 GiB of 24 GiB

cpu_throttling  0% of the scheduling periods
  = nr_throttled / nr_periods, since the last run
  in /sys/fs/cgroup
    cpu.max: 150000 100000
    cpu.stat: usage_usec 40000000
    cpu.stat: nr_periods 1000
    cpu.stat: nr_throttled 100
`
		if err != nil || text != want {
			t.Errorf("%v\n%s", err, text)
		}
	})
}

func TestExplainReportsErrors(t *testing.T) {
	if _, err := resource.Explain(t.Context(), resource.Config{CPUs: -1}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := resource.Explain(ctx, resource.Config{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
