package resource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// shortest is the least time for a meaningful CPU share: the host's clock ticks a hundred times a second, and a process that
// has just started is always busy.
const shortest = time.Second

// cpuMeter measures CPU as the difference between two of its own samples.
type cpuMeter struct {
	machine

	mu   sync.Mutex
	base cpuSample            // where the next measurement starts
	last *checker.Measurement // over at least shortest; nil before the first
}

type cpuSample struct {
	at     time.Time
	groups []groupCPU // the limited control groups; if there are any, host is not read
	host   cpuTimes   // zero if it was not read, or failed
}

// cpuCheck takes the first sample; the first measurement reports its failure. It returns nil where neither the host nor a
// control group has CPU times.
func (m machine) cpuCheck() measure {
	first, err := m.sampleCPU(context.Background())
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return (&cpuMeter{machine: m, base: first}).measure
}

func (m machine) sampleCPU(ctx context.Context) (cpuSample, error) {
	s := cpuSample{groups: groupCPUs(m.files)}
	var err error
	if len(s.groups) == 0 {
		if s.host, err = m.host.CPU(ctx); err != nil {
			s.host = cpuTimes{}
		}
	}
	// The clock is read last, so that a slow host does not increase the share.
	s.at = time.Now()
	return s, err
}

func (m *cpuMeter) measure(ctx context.Context) (checker.Measurement, error) {
	now, err := m.sampleCPU(ctx)
	if err != nil {
		return checker.Measurement{}, fmt.Errorf("reading the host's CPU times: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	soon := now.at.Sub(m.base.at) < shortest
	if soon && m.last != nil {
		return *m.last, nil
	}
	reading, err := m.base.until(now)
	if err != nil || !soon {
		m.base = now
	}
	if err == nil && !soon {
		m.last = &reading
	}
	return reading, err
}

// until returns the share used between two samples. If they are less than shortest apart, it is the share of shortest,
// which is too low rather than too high.
func (s cpuSample) until(now cpuSample) (checker.Measurement, error) {
	window := now.at.Sub(s.at)
	if len(now.groups) == 0 && s.host.Total == 0 {
		return checker.Measurement{}, fmt.Errorf("no earlier CPU times of the host: %w", checker.ErrInconclusive)
	}
	if window >= shortest {
		return s.share(now, window)
	}
	s.host.Total = min(s.host.Total, now.host.Total-shortest.Seconds()*float64(now.host.CPUs))
	m, err := s.share(now, shortest)
	m.Source += " since the start"
	return m, err
}

// share returns the share used between two samples at the distance window.
func (s cpuSample) share(now cpuSample, window time.Duration) (checker.Measurement, error) {
	if len(now.groups) > 0 {
		return s.groupShare(now, window)
	}
	total, busy := now.host.Total-s.host.Total, now.host.Busy-s.host.Busy
	if !(total > 0) {
		return checker.Measurement{}, fmt.Errorf("the host's CPU clock has not moved for %v: %w", window, checker.ErrInconclusive)
	}
	return checker.Measurement{
		Value: clamp(100 * busy / total), Unit: "%", Source: "of the host (" + humanCPUs(float64(now.host.CPUs)) + ")",
	}, nil
}

// groupShare returns the share of the fullest level that is in both samples.
func (s cpuSample) groupShare(now cpuSample, window time.Duration) (checker.Measurement, error) {
	fullest := checker.Measurement{Value: -1}
	for _, g := range now.groups {
		for _, before := range s.groups {
			if before.dir != g.dir {
				continue
			}
			share := clamp(100 * (g.used - before.used) / (window.Seconds() * g.cpus))
			if share > fullest.Value {
				fullest = checker.Measurement{
					Value: share, Unit: "%", Source: "of the cgroup limit (" + humanCPUs(g.cpus) + ")",
				}
			}
		}
	}
	if fullest.Value < 0 {
		return checker.Measurement{}, fmt.Errorf("no earlier CPU times of the control group: %w", checker.ErrInconclusive)
	}
	return fullest, nil
}
