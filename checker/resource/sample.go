package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// sampler measures CPU and memory between any two times. It looks up its control groups every 30 s only, so a sample of both
// takes less than a millisecond: go test -run '^$' -bench Sample ./checker/resource.
type sampler struct {
	machine
	// process returns the CPU time of this process and how many CPUs it may use at most; nil on a fake machine.
	process func() (used time.Duration, cpus int, err error)
}

func newSampler(on machine) *sampler { return &sampler{machine: machine{on.host, newMemo(on.files)}} }

//nolint:gochecknoglobals // One sampler serves all callers; it is made at the first call and caches only where control groups are.
var theSampler = sync.OnceValue(func() *sampler {
	s := newSampler(thisMachine())
	s.process = processCPU
	return s
})

// CPUSample is the CPU time used until a moment; see Since.
type CPUSample struct {
	sample  cpuSample
	process time.Duration
	// procs is how many CPUs the process may use; 0 if that is not known.
	procs int
}

// SampleCPU reads the CPU time used until now. An error that wraps errors.ErrUnsupported is permanent. SampleCPU and
// MemoryUsage may be called concurrently, and take less than a millisecond together.
func SampleCPU(ctx context.Context) (CPUSample, error) { return theSampler().cpu(ctx) }

// MemoryUsage returns the share of memory in use, from 0 to 1, of the fullest limited control group, or of the host if
// none is limited. An error that wraps errors.ErrUnsupported is permanent.
func MemoryUsage(ctx context.Context) (float64, error) { return theSampler().memory(ctx) }

func (s *sampler) cpu(ctx context.Context) (CPUSample, error) {
	var now CPUSample
	if s.process != nil {
		if used, cpus, err := s.process(); err == nil {
			now.process, now.procs = used, cpus
		}
	}
	var err error
	now.sample, err = s.sampleCPU(ctx)
	switch {
	case err == nil:
	case now.procs > 0 && errors.Is(err, errors.ErrUnsupported): // only the process is known here
	default:
		return CPUSample{}, fmt.Errorf("reading the CPU times: %w", err)
	}
	return now, nil
}

// Since returns the share of the CPUs used since an earlier sample, where 1 is all: the largest of the shares of each
// limited control group, or of the host if none is limited, and of this process in GOMAXPROCS. Only the last can exceed 1,
// by threads that are not Go's. An error wraps checker.ErrInconclusive.
func (s CPUSample) Since(before CPUSample) (float64, error) {
	window := s.sample.at.Sub(before.sample.at)
	if window <= 0 {
		return 0, fmt.Errorf("no time between two samples: %w", checker.ErrInconclusive)
	}
	own, known := 0.0, s.procs > 0 && before.procs > 0
	if known {
		own = max((s.process-before.process).Seconds()/(window.Seconds()*float64(s.procs)), 0)
	}
	around, err := before.sample.share(s.sample, window)
	if err != nil && !known {
		return 0, err
	}
	return max(own, around.Value/100), nil
}

func (s *sampler) memory(ctx context.Context) (float64, error) {
	m, err := memoryMeter{s.machine}.measure(ctx)
	return m.Value / 100, err
}

// memoLife is the lifetime of cached files: processes rarely move to another control group.
const memoLife = 30 * time.Second

// memo is a tree that caches the files with the location of the control groups: finding these costs ten times as much as
// reading them. It may be used concurrently.
type memo struct {
	fs.FS

	mu   sync.Mutex
	kept map[string]remembered
}

type remembered struct {
	text  []byte
	err   error
	until time.Time
}

func newMemo(files fs.FS) *memo { return &memo{FS: files, kept: make(map[string]remembered)} }

// ReadFile implements fs.ReadFileFS. The result is shared and must not be changed.
func (m *memo) ReadFile(name string) ([]byte, error) {
	if !slices.Contains([]string{"proc/self/cgroup", "proc/self/mountinfo", "sys/devices/system/cpu/online"}, name) {
		return fs.ReadFile(m.FS, name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.kept[name]
	if !time.Now().Before(r.until) {
		r.text, r.err = fs.ReadFile(m.FS, name)
		r.until = time.Now().Add(memoLife)
		m.kept[name] = r
	}
	return r.text, r.err
}
