package resource

import (
	"context"
	"fmt"
	"sync"

	"github.com/vitals-go/vitals/checker"
)

//nolint:gochecknoglobals // One machine serves all callers; it is made at the first call and caches only where control groups are.
var sampled = sync.OnceValue(thisMachine)

// CPUSample is the CPU time used until a moment; see Since.
type CPUSample struct{ sample cpuSample }

// SampleCPU reads the CPU time used until now. Of cfg only CPUs counts. An error that wraps errors.ErrUnsupported is
// permanent. SampleCPU and MemoryUsage may be called concurrently, and take less than a millisecond together:
//
//	go test -run '^$' -bench Sample ./checker/resource
func SampleCPU(ctx context.Context, cfg Config) (CPUSample, error) {
	return sampled().limitedTo(cfg).sample(ctx)
}

// MemoryUsage returns the share of memory in use, from 0 to 1, measured as by the check memory_usage. Of cfg only
// MemoryBytes counts. An error that wraps errors.ErrUnsupported is permanent.
func MemoryUsage(ctx context.Context, cfg Config) (float64, error) {
	return sampled().limitedTo(cfg).memoryShare(ctx)
}

func (m machine) sample(ctx context.Context) (CPUSample, error) {
	now, err := m.sampleCPU(ctx)
	if err != nil {
		return CPUSample{}, fmt.Errorf("reading the CPU times: %w", err)
	}
	return CPUSample{now}, nil
}

// Since returns the share of the CPUs used since an earlier sample, where 1 is all: the largest of the shares of each
// limit, or of the host if there is none, and of this process in GOMAXPROCS. Only the last can exceed 1, by threads that
// are not Go's. An error wraps checker.ErrInconclusive.
func (s CPUSample) Since(before CPUSample) (float64, error) {
	window := s.sample.at.Sub(before.sample.at)
	if window <= 0 {
		return 0, fmt.Errorf("no time between two samples: %w", checker.ErrInconclusive)
	}
	own, now := before.sample.process, s.sample.process
	known, share := own.known && now.known && now.goProcs > 0, 0.0
	if known {
		share = max((now.seconds-own.seconds)/(window.Seconds()*float64(now.goProcs)), 0)
	}
	around, err := before.sample.share(s.sample)
	if err != nil && !known {
		return 0, err
	}
	return max(share, around.Value/100), nil
}

func (m machine) memoryShare(ctx context.Context) (float64, error) {
	reading, err := m.measureMemory(ctx)
	return reading.Value / 100, err
}
