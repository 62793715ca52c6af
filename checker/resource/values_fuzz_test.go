package resource

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// groupFiles are the files of one control group, of both versions, and what is mounted where.
const (
	unifiedMounts = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	splitMounts   = "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n32 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
)

var wholeNumber = regexp.MustCompile(`^[0-9]+$`)

// FuzzGroupFiles writes anything into each file of a control group, of version 2 and of version 1, and compares what is
// read with arithmetic that knows no overflow. What the kernel would never write must leave the value unknown.
func FuzzGroupFiles(f *testing.F) {
	for _, limit := range []string{"max", "1073741824", "0", "-1", "18446744073709551615", "18446744073709551616", "9223372036854771712", "1e9", "", "1 2", "0x10", "٣"} {
		for _, current := range []string{"536870912", "0", "18446744073709551615", "-5", "max", ""} {
			f.Add(limit, current, "inactive_file 4096\nactive_file 1\nslab_reclaimable 9\n", "100000 100000", "usage_usec 5\nnr_periods 10\nnr_throttled 3\n")
		}
	}
	for _, cpu := range []string{"max 100000", "0 100000", "100000 0", "-1 100000", "18446744073709551615 1", "1 18446744073709551615", "1", "a b", "1 2 3"} {
		f.Add("100", "50", "inactive_file 60", cpu, "usage_usec 18446744073709551615\nnr_periods 1\nnr_throttled 5")
	}
	f.Fuzz(func(t *testing.T, limit, current, stat, cpuMax, cpuStat string) {
		quota, period := "", ""
		if fields := strings.Fields(cpuMax); len(fields) == 2 {
			quota, period = fields[0], fields[1]
		}
		for _, files := range []fstest.MapFS{
			{
				"proc/self/cgroup": text("0::/\n"), "proc/self/mountinfo": text(unifiedMounts),
				"sys/fs/cgroup/memory.max": text(limit), "sys/fs/cgroup/memory.current": text(current), "sys/fs/cgroup/memory.stat": text(stat),
				"sys/fs/cgroup/cpu.max": text(cpuMax), "sys/fs/cgroup/cpu.stat": text(cpuStat),
			},
			{
				"proc/self/cgroup": text("4:memory:/\n3:cpu,cpuacct:/\n"), "proc/self/mountinfo": text(splitMounts),
				"sys/fs/cgroup/memory/memory.limit_in_bytes": text(limit), "sys/fs/cgroup/memory/memory.usage_in_bytes": text(current),
				"sys/fs/cgroup/cpu/cpu.cfs_quota_us": text(quota), "sys/fs/cgroup/cpu/cpu.cfs_period_us": text(period),
				"sys/fs/cgroup/cpu/cpuacct.usage": text(current), "sys/fs/cgroup/cpu/cpu.stat": text(cpuStat),
			},
		} {
			unified := files["sys/fs/cgroup/cpu.max"] != nil
			var caches []*big.Int
			if unified {
				for _, key := range []string{"inactive_file", "active_file", "slab_reclaimable"} {
					caches = append(caches, field(stat, key))
				}
			}
			mustMatch(t, files, limit, current, caches)
			m := machine{host: noHost{}, files: files}
			levels, _ := m.cpuLevels(t.Context(), processTime{})
			for _, g := range levels {
				if !(g.cpus > 0 && g.cpus <= 1<<16) || g.used < 0 {
					t.Errorf("%q and %q give %+v", cpuMax, cpuStat, g)
				}
				q, p := whole(quota), whole(period)
				if q == nil || p == nil || q.Sign() == 0 || p.Sign() == 0 {
					t.Errorf("the quota %q limits to %v CPUs", cpuMax, g.cpus)
				}
			}
			for _, p := range readPeriods(files) {
				checkPercent(t, "throttling", (periods{}).share(p))
			}
		}
	})
}

func text(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }

// mustMatch compares the usage of memory.
func mustMatch(t *testing.T, files fstest.MapFS, limit, current string, caches []*big.Int) {
	t.Helper()
	levels := machine{host: noHost{}, files: files}.memoryLevels(1 << 50)
	known := len(levels) == 1
	most, used := whole(limit), whole(current)
	sensible := most != nil && used != nil && most.Sign() > 0 && most.Cmp(big.NewInt(1<<50)) <= 0
	if known != sensible {
		t.Fatalf("limit %q and usage %q: known %v, want %v", limit, current, known, sensible)
	}
	if !known {
		return
	}
	for _, cache := range caches {
		if cache != nil {
			used.Sub(used, cache)
		}
	}
	want := new(big.Rat).SetFrac(used.Mul(used, big.NewInt(100)), most)
	percent, _ := want.Float64()
	percent = min(max(percent, 0), 100)
	if got := levels[0].percent(); got < percent-1e-6 || got > percent+1e-6 {
		t.Errorf("limit %q, usage %q and cache %v give %v%%, want %v%%", limit, current, caches, got, percent)
	}
}

// whole is the number that a file holds, nil if it holds none that fits into 64 bits.
func whole(content string) *big.Int {
	content = strings.TrimSpace(content)
	if !wholeNumber.MatchString(content) {
		return nil
	}
	n, _ := new(big.Int).SetString(content, 10)
	if !n.IsUint64() {
		return nil
	}
	return n
}

// field is the number beside a name, nil if there is none.
func field(content, name string) *big.Int {
	for line := range strings.Lines(content) {
		if word, value, found := strings.Cut(line, " "); found && word == name {
			return whole(value)
		}
	}
	return nil
}
