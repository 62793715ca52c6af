package resource

import (
	"context"
	"runtime/metrics"
	"sync"

	"github.com/vitals-go/vitals/checker"
)

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
	return gcTimes{collecting: seconds(samples[0]) - seconds(samples[1]), total: seconds(samples[2])}
}

// seconds is 0 for a metric that the runtime does not have.
func seconds(s metrics.Sample) float64 {
	if s.Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return s.Value.Float64()
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
