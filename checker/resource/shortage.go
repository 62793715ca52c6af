package resource

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"runtime/metrics"
	"sync"

	"github.com/vitals-go/vitals/checker"
)

// throttling measures the share of the scheduling periods in which a control group exhausted its CPU quota. It can be high
// while the average CPU usage is low.
type throttling struct {
	files fs.FS

	mu   sync.Mutex
	base []periods
}

// periods are the counters of one limited level since the group was created.
type periods struct {
	dir              string
	total, throttled uint64
}

// throttlingCheck returns nil where no quota is in force.
func (m machine) throttlingCheck() measure {
	t := &throttling{files: m.files, base: readPeriods(m.files)}
	if len(t.base) == 0 {
		return nil
	}
	return t.measure
}

func readPeriods(files fs.FS) []periods {
	h, _ := readGroups(files).find("cpu")
	var all []periods
	for _, p := range h.places {
		if _, limited := levelQuota(files, p.dir, h.unified); !limited {
			continue
		}
		stat := readText(files, path.Join(p.dir, "cpu.stat"))
		total, ok := parseField(stat, "nr_periods")
		throttled, ok2 := parseField(stat, "nr_throttled")
		if ok && ok2 {
			all = append(all, periods{p.dir, total, throttled})
		}
	}
	return all
}

// measure returns the share since the last run, at the level that was throttled most; 0 once no quota is left.
func (t *throttling) measure(context.Context) (checker.Measurement, error) {
	now := readPeriods(t.files)
	t.mu.Lock()
	defer t.mu.Unlock()
	worst := 0.0
	for _, level := range now {
		for _, before := range t.base {
			if before.dir == level.dir {
				worst = max(worst, before.share(level))
			}
		}
	}
	t.base = now
	return checker.Measurement{Value: worst, Unit: "%", Source: "of the scheduling periods"}, nil
}

// share is 0 for a group that did not run, and for counters that decreased because the group was recreated.
func (p periods) share(now periods) float64 {
	if now.total <= p.total || now.throttled < p.throttled {
		return 0
	}
	return clamp(100 * float64(now.throttled-p.throttled) / float64(now.total-p.total))
}

// pressureCheck returns nil where the kernel does not report this kind of pressure.
func (m machine) pressureCheck(resource, line string) measure {
	p := pressure{m.files, resource, line}
	if _, err := p.measure(context.Background()); err != nil {
		return nil
	}
	return p.measure
}

// pressure reads one kind of pressure stall information: the share of time in which tasks waited.
type pressure struct {
	files    fs.FS
	resource string // cpu, memory or io, as the kernel names its files
	line     string // some or full
}

func (p pressure) measure(context.Context) (checker.Measurement, error) {
	if h, ok := readGroups(p.files).find(""); ok && h.places[0].own && !h.isRoot(p.files) {
		text := readText(p.files, path.Join(h.places[0].dir, p.resource+".pressure"))
		if share, ok := parsePressure(text, p.line); ok {
			return p.measurement(share, "in the cgroup"), nil
		}
	}
	share, ok := parsePressure(readText(p.files, "proc/pressure/"+p.resource), p.line)
	if !ok {
		return checker.Measurement{}, fmt.Errorf("no pressure information on %s: %w", p.resource, checker.ErrInconclusive)
	}
	return p.measurement(share, "on the host"), nil
}

func (p pressure) measurement(share float64, where string) checker.Measurement {
	return checker.Measurement{Value: share, Unit: "%", Source: "of the last minute " + where}
}

// gcMeter measures the CPU time of the garbage collector. Near the memory limit the runtime caps it at half of the CPU, so
// 50 % means that memory is nearly exhausted.
type gcMeter struct {
	mu   sync.Mutex
	base gcTimes
}

// gcTimes are CPU seconds since the start, as the runtime estimates them at the end of each collection.
type gcTimes struct{ collecting, total float64 }

func newGCMeter() *gcMeter { return &gcMeter{base: readGCTimes()} }

func readGCTimes() gcTimes {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		{Name: "/cpu/classes/total:cpu-seconds"},
	}
	metrics.Read(samples)
	// Marking on idle CPUs costs the program nothing.
	return gcTimes{
		collecting: samples[0].Value.Float64() - samples[1].Value.Float64(), total: samples[2].Value.Float64(),
	}
}

// measure returns the share since the last run; 0 without a collection.
func (m *gcMeter) measure(context.Context) (checker.Measurement, error) {
	now := readGCTimes()
	m.mu.Lock()
	defer m.mu.Unlock()
	reading := checker.Measurement{Unit: "%", Source: "of the CPU time"}
	if total := now.total - m.base.total; total > 0 {
		reading.Value = clamp(100 * (now.collecting - m.base.collecting) / total)
	}
	m.base = now
	return reading, nil
}
