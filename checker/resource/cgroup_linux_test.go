package resource_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestRealMemoryLimitCountsWhatCannotBeReclaimed(t *testing.T) {
	group := memoryGroup(t)
	dir := t.TempDir()
	var where syscall.Statfs_t
	if err := syscall.Statfs(dir, &where); err != nil || where.Type == 0x01021994 {
		t.Skip("the folder for temporary files is a tmpfs, which has no page cache")
	}
	output, err := runInside(t, []string{group}, nil, "read "+filepath.Join(dir, "file"))
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	value, source := lastMeasurement(t, output, "memory_usage")
	if value > 50 || source != "of the cgroup limit (96 MiB)" {
		t.Errorf("a process that has written and read a file: %v %s", value, source)
	}
	most := groupNumber(t, group, "memory.max_usage_in_bytes", "memory.peak")
	if most < 80*mebibyte {
		t.Errorf("the group never had more than %d bytes: the cache was not charged to it", most)
	}
}

func TestRealMemoryIsCriticalBeforeTheKernelKills(t *testing.T) {
	output, err := runInside(t, []string{memoryGroup(t)}, nil, "allocate")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process was not killed: %v\n%s", err, output)
	}
	first, last := 101.0, 0.0
	for line := range strings.Lines(output) {
		var value float64
		if _, err := fmt.Sscanf(line, "memory_usage %f of the cgroup limit (96 MiB)", &value); err == nil {
			first, last = min(first, value), value
		}
	}
	if first > 50 || last <= 85 {
		t.Errorf("from %v %% at the start to %v %% when it was killed, want healthy and then critical", first, last)
	}
}

func TestRealQuota(t *testing.T) {
	cpu := makeGroup(t, "cpu", map[string]string{"cpu.max": "20000 100000", "cpu.cfs_quota_us": "20000"})
	joins := []string{cpu}
	if acct := tryGroup(t, "cpuacct", nil); acct != "" && acct != cpu {
		joins = append(joins, acct)
	}
	output, err := runInside(t, joins, nil, "burn")
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if _, source := lastMeasurement(t, output, "cpu_usage"); !strings.HasPrefix(source, "of the cgroup limit (0.2 CPUs)") {
		t.Errorf("measured %s", source)
	}
}

// The quota's group has no accounting of its own: what the process uses counts.
func TestRealQuotaWithoutAccounting(t *testing.T) {
	cpu := makeGroup(t, "cpu", map[string]string{"cpu.max": "20000 100000", "cpu.cfs_quota_us": "20000"})
	if _, err := os.Stat(filepath.Join(cpu, "cpu.max")); err == nil {
		t.Skip("version 2 accounts for CPU time in every group")
	}
	output, err := runInside(t, []string{cpu}, nil, "burn")
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if _, source := lastMeasurement(t, output, "cpu_usage"); !strings.HasPrefix(source, "of the cgroup limit (0.2 CPUs), this process only") {
		t.Errorf("measured %s", source)
	}
}

func TestRealCPUSet(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs")
	}
	set := makeGroup(t, "cpuset", map[string]string{"cpuset.cpus": "0", "cpuset.mems": "0"})
	output, err := runInside(t, []string{set}, nil, "print")
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if _, source := lastMeasurement(t, output, "cpu_usage"); !strings.HasPrefix(source, "of the cgroup limit (1 CPU), cpuset") {
		t.Errorf("measured %s", source)
	}
}

func TestRealAffinity(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs")
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		t.Skip(err)
	}
	output, err := runInside(t, nil, []string{"taskset", "-c", "0"}, "print")
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if _, source := lastMeasurement(t, output, "cpu_usage"); !strings.Contains(source, "(1 CPU)") || strings.Contains(source, "host") {
		t.Errorf("measured %s", source)
	}
}

func TestRealPidsLimit(t *testing.T) {
	group := makeGroup(t, "pids", map[string]string{"pids.max": "40"})
	output, err := runInside(t, []string{group}, []string{"env", "GOMAXPROCS=2"}, "threads") // few threads of the runtime
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if value, source := lastMeasurement(t, output, "pids"); value <= 90 || source != "of the cgroup limit (40)" {
		t.Errorf("measured %v %s", value, source)
	}
}

// In a namespace of its own, with the host's tree mounted first.
func TestRealNamespace(t *testing.T) {
	group := memoryGroup(t)
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip(err)
	}
	mount := "mount -t cgroup -o memory cgroup"
	if _, err := os.Stat(filepath.Join(group, "memory.max")); err == nil {
		mount = "mount -t cgroup2 cgroup"
	}
	script := mount + ` "$0" && exec "$@"`
	output, err := runInside(t, []string{group}, []string{"unshare", "--cgroup", "--mount", "sh", "-c", script, t.TempDir()}, "print")
	if strings.Contains(output, "unshare failed") || strings.Contains(output, "permission denied") {
		t.Skip("no namespaces can be made here: " + output)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if _, source := lastMeasurement(t, output, "memory_usage"); source != "of the cgroup limit (96 MiB)" {
		t.Errorf("measured %s", source)
	}
}

// What a platform lacks, or has as zeros, is left out or the process's own; nothing is an error.
func TestRealPlatformsThatLackFiles(t *testing.T) {
	if _, err := exec.LookPath("unshare"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and unshare")
	}
	zeros := filepath.Join(t.TempDir(), "stat")
	if err := os.WriteFile(zeros, []byte("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for script, lacks := range map[string]string{
		"mount --bind " + zeros + " /proc/stat": "",
		"mount --bind /dev/null /proc/stat":     "",
		"mount --bind /dev/null /proc/meminfo":  "memory_usage", // unless a group limits the process
		"mount -t tmpfs none /sys":              "",
		"mount -t tmpfs none /proc":             "memory_usage",
	} {
		command := []string{"unshare", "--mount", "sh", "-c", script + ` && exec "$@"`, "sh"}
		output, err := runInside(t, nil, command, "list")
		switch {
		case strings.Contains(output, "unshare failed") || strings.Contains(output, "mount: "):
			t.Skip("nothing can be mounted here: " + output)
		case err != nil:
			t.Errorf("%s: %v\n%s", script, err, output)
		}
		if !strings.Contains(output, "cpu_usage ") {
			t.Errorf("%s: cpu_usage is missing:\n%s", script, output)
		}
		if lacks != "" && strings.Contains(output, lacks) && !strings.Contains(output, "cgroup limit") {
			t.Errorf("%s: %s is there:\n%s", script, lacks, output)
		}
	}
}
