package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Sampler measures CPU and memory for those who need them more often than a check runs, and over a time of their own
// choice: a report to load balancers is of no use when it is half a minute old. It starts nothing and may be used
// concurrently. Where the control groups are is looked up again every 30 s, so that a sample of both costs a few dozen
// short reads, under a millisecond: go test -run '^$' -bench Sampler ./checker/resource.
type Sampler struct {
	host  Host
	files fs.FS
	// process returns the CPU time of this process and how many CPUs it may use at most. Nil: not asked, because the
	// host is not the one that the process runs on.
	process func() (used time.Duration, cpus int, err error)
}

// NewSampler returns a Sampler of the machine in cfg.Host and cfg.Files. It ignores what else is in cfg, but reports
// all mistakes in it at once, as Checks does.
func NewSampler(cfg Config) (*Sampler, error) {
	s := &Sampler{}
	if cfg.Host == nil {
		s.process = processCPU
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s.host, s.files = cfg.Host, newMemo(cfg.Files)
	return s, nil
}

// CPUSample is how much CPU time has been used until a moment. One alone says nothing: see Since.
type CPUSample struct {
	sample  cpuSample
	process time.Duration
	// procs is how many CPUs the process may use; 0 if that is not known.
	procs int
}

// CPU takes a sample. An error means that the machine cannot tell; if it wraps errors.ErrUnsupported, it never can.
func (s *Sampler) CPU(ctx context.Context) (CPUSample, error) {
	var now CPUSample
	if s.process != nil {
		if used, cpus, err := s.process(); err == nil {
			now.process, now.procs = used, cpus
		}
	}
	meter := cpuMeter{host: s.host, files: s.files}
	var err error
	now.sample, err = meter.sample(ctx)
	switch {
	case err == nil:
	case now.procs > 0 && errors.Is(err, errors.ErrUnsupported):
		now.sample.host = CPUTimes{} // The process is all that can be known here.
	default:
		return CPUSample{}, fmt.Errorf("reading the CPU times: %w", err)
	}
	return now, nil
}

// Since returns the share of the CPUs used since an earlier sample, where 1 is all that there is: the largest of the
// shares of each limited control group, or of the host if none is limited, and of what the process itself has used of
// GOMAXPROCS. Only the last can exceed 1, by threads that are not Go's. An error wraps checker.ErrNoEvidence: nothing
// is known of the time between the two.
func (s CPUSample) Since(before CPUSample) (float64, error) {
	window := s.sample.at.Sub(before.sample.at)
	if window <= 0 {
		return 0, fmt.Errorf("no time between two samples: %w", checker.ErrNoEvidence)
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

// Memory returns the share of the memory in use, where 1 is all that there is: of the fullest limited control group, or
// of the host if none is limited. An error means that the machine cannot tell; if it wraps errors.ErrUnsupported, it
// never can.
func (s *Sampler) Memory(ctx context.Context) (float64, error) {
	m, err := memoryMeter{host: s.host, files: s.files}.measure(ctx)
	return m.Value / 100, err
}
