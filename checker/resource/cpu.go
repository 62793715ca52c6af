package resource

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
)

const (
	// shortest is the least time for a meaningful CPU share: the host's clock ticks a hundred times a second, and a process
	// that has just started is always busy.
	shortest = time.Second
	// hostWindow is the least time for a share of the host's CPUs, which are shared with other processes.
	hostWindow = time.Minute
)

// cpuMeter measures CPU as the difference between two of its own samples.
type cpuMeter struct {
	machine

	mu      sync.Mutex
	samples []cpuSample          // at least one, oldest first; as many as hostWindow needs
	last    *checker.Measurement // over at least shortest; nil before the first
}

type cpuSample struct {
	at      time.Time
	levels  []cpuLevel // what limits the process; if there is anything, host is not read
	host    cpuTimes   // zero if it was not read, or failed
	process processTime
	allowed float64 // how many CPUs the process may run on
	around  string  // the owner of the CPUs of host, in texts
}

// processTime is the CPU time of this process.
type processTime struct {
	known   bool
	seconds float64
	goProcs int // GOMAXPROCS
}

// cpuCheck takes the first sample. It returns nil where CPU times of neither a group, the process nor the host are known.
func (m machine) cpuCheck() measure {
	first, err := m.sampleCPU(context.Background())
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return (&cpuMeter{machine: m, samples: []cpuSample{first}}).measure
}

// sampleCPU returns an error if nothing is known. Some sandboxes have a /proc/stat of zeros, or none.
func (m machine) sampleCPU(ctx context.Context) (s cpuSample, err error) {
	if m.process != nil {
		if used, goProcs, err := m.process(); err == nil {
			s.process = processTime{known: true, seconds: used.Seconds(), goProcs: goProcs}
		}
	}
	s.levels, s.allowed = m.cpuLevels(ctx, s.process)
	if len(s.levels) == 0 {
		if s.host, err = m.host.CPU(ctx); err != nil {
			s.host = cpuTimes{}
		}
		s.around = m.around("stat")
	}
	// The clock is read last, so that a slow host does not increase the share.
	s.at = time.Now()
	if s.process.known {
		return s, nil
	}
	return s, err
}

func (m *cpuMeter) measure(ctx context.Context) (checker.Measurement, error) {
	now, err := m.sampleCPU(ctx)
	if err != nil {
		return checker.Measurement{}, fmt.Errorf("reading the host's CPU times: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.samples[len(m.samples)-1]
	soon := now.at.Sub(before.at) < shortest
	if soon && m.last != nil {
		return *m.last, nil
	}
	var reading checker.Measurement
	if len(now.levels) > 0 {
		reading, err = before.limitedShare(now, shortest)
	} else {
		reading, err = m.unlimitedShare(now)
	}
	if soon {
		reading.Source += ", since the start"
	}
	if err != nil || !soon {
		m.add(now)
	}
	if err == nil && !soon {
		m.last = &reading
	}
	return reading, err
}

// add adds a sample, and drops those that are older than hostWindow requires.
func (m *cpuMeter) add(now cpuSample) {
	for len(m.samples) > 1 && (len(now.levels) > 0 || now.at.Sub(m.samples[1].at) >= hostWindow) {
		m.samples = m.samples[1:]
	}
	m.samples = append(m.samples, now)
}

// unlimitedShare returns the share of the host over at least hostWindow. Before, and where the host's times are not known or
// do not move, it is that of this process.
func (m *cpuMeter) unlimitedShare(now cpuSample) (checker.Measurement, error) {
	base := m.samples[0]
	for _, s := range m.samples[1:] {
		if now.at.Sub(s.at) >= hostWindow {
			base = s
		}
	}
	window := now.at.Sub(base.at)
	if window >= hostWindow || !now.process.known {
		if share, err := base.hostShare(now, max(window, hostWindow)); err == nil {
			return share, nil
		}
	}
	return base.processShare(now, shortest)
}

// share returns the share used between two samples, at once: of the fullest limit, else of the host.
func (s cpuSample) share(now cpuSample) (checker.Measurement, error) {
	if len(now.levels) > 0 {
		return s.limitedShare(now, 0)
	}
	return s.hostShare(now, now.at.Sub(s.at))
}

// hostShare returns the busy share of the host's CPUs. In a window longer than the time between the samples they were idle
// before.
func (s cpuSample) hostShare(now cpuSample, window time.Duration) (checker.Measurement, error) {
	total, busy := now.host.Total-s.host.Total, now.host.Busy-s.host.Busy
	if s.host.Total == 0 || !(total > 0) || !(busy >= 0) {
		return checker.Measurement{}, fmt.Errorf("no CPU times of the host for %v: %w", now.at.Sub(s.at), checker.ErrInconclusive)
	}
	cpus := float64(now.host.CPUs)
	if passed := now.at.Sub(s.at); window > passed {
		total = max(total, window.Seconds()*cpus)
	}
	source := "of the " + now.around + " (" + humanCPUs(cpus) + ") over " + humanMinutes(window)
	if own, err := s.processShare(now, 0); err == nil {
		source += ", " + number(math.Round(10*own.Value*now.allowed/cpus)/10) + "% by this process"
	}
	return checker.Measurement{
		Value: clamp(100 * busy / total), Unit: "%", Source: source + goProcsNote(now.process.goProcs, cpus),
	}, nil
}

// humanMinutes formats a window of at least hostWindow.
func humanMinutes(d time.Duration) string {
	if minutes := int(d.Round(time.Minute) / time.Minute); minutes > 1 {
		return strconv.Itoa(minutes) + " minutes"
	}
	return "a minute"
}

// processShare returns what this process used of the CPUs that it may run on. A time between the samples of less than least
// counts as least.
func (s cpuSample) processShare(now cpuSample, least time.Duration) (checker.Measurement, error) {
	l := cpuLevel{cpus: now.allowed, used: s.process.seconds}
	share, ok := l.share(now.process.seconds, max(now.at.Sub(s.at), least))
	if !ok || !s.process.known || !now.process.known {
		return checker.Measurement{}, fmt.Errorf("no CPU times for %v: %w", now.at.Sub(s.at), checker.ErrInconclusive)
	}
	source := "of " + humanCPUs(l.cpus) + ", this process only" + goProcsNote(now.process.goProcs, l.cpus)
	return checker.Measurement{Value: share, Unit: "%", Source: source}, nil
}

// share returns which percentage of the limit was used until now.
func (l cpuLevel) share(now float64, window time.Duration) (float64, bool) {
	if !(l.cpus > 0) || window <= 0 || now < l.used {
		return 0, false
	}
	return clamp(100 * (now - l.used) / (window.Seconds() * l.cpus)), true
}

// limitedShare returns the share of the fullest limit. A time between the samples of less than least counts as least. For
// a new limit, and after the counters of a group have decreased, the CPU time of this process counts.
func (s cpuSample) limitedShare(now cpuSample, least time.Duration) (checker.Measurement, error) {
	window := max(now.at.Sub(s.at), least)
	fullest := checker.Measurement{Value: -1}
	for _, l := range now.levels {
		before, used, known := l, l.used, false
		i := slices.IndexFunc(s.levels, func(b cpuLevel) bool { return b.group == l.group && b.limit == l.limit && b.alone == l.alone })
		if i >= 0 {
			before.used, known = s.levels[i].used, true
		}
		share, ok := before.share(used, window)
		if (!known || !ok) && s.process.known && now.process.known {
			l.alone, before.used, known = true, s.process.seconds, true
			share, ok = before.share(now.process.seconds, window)
		}
		if known && ok && share > fullest.Value {
			fullest = checker.Measurement{Value: share, Unit: "%", Source: l.source(now.process.goProcs)}
		}
	}
	if fullest.Value < 0 {
		return checker.Measurement{}, fmt.Errorf("no earlier CPU times of the control group: %w", checker.ErrInconclusive)
	}
	return fullest, nil
}
