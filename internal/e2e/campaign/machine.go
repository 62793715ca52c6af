package main

import (
	"context"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// machine watches how late this process itself gets to run: a machine that is too busy for us is too busy for the
// server and its dependencies, and what happens meanwhile may be its doing.
type machine struct {
	mu     sync.Mutex
	stalls []stall
	waited []waited
}

// waited is for how long, since the machine was started, somebody had to wait for a CPU.
type waited struct {
	at    time.Time
	total time.Duration
}

type stall struct {
	at     time.Time
	length time.Duration
}

const machineTick = 10 * time.Millisecond

func (m *machine) run(ctx context.Context) {
	tick := time.NewTicker(machineTick)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		if late := now.Sub(last) - machineTick; late > 5*machineTick {
			m.mu.Lock()
			m.stalls = append(m.stalls, stall{now, late})
			m.mu.Unlock()
		}
		last = now
		m.read(now)
	}
}

// read takes Linux' own account of who had to wait: /proc/pressure/cpu says "some avg10=… total=<µs>".
func (m *machine) read(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.waited); n > 0 && now.Sub(m.waited[n-1].at) < 100*time.Millisecond {
		return
	}
	text, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return // Not everywhere.
	}
	some, _, _ := strings.Cut(string(text), "\n")
	_, total, _ := strings.Cut(some, "total=")
	if us, err := strconv.ParseInt(strings.TrimSpace(total), 10, 64); err == nil {
		m.waited = append(m.waited, waited{now, time.Duration(us) * time.Microsecond})
	}
}

// pressed reports whether for more than half of the time since a moment somebody on this machine had to wait for a CPU.
// A dependency may then be too slow for a check, through nobody's fault.
func (m *machine) pressed(since time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.waited)
	first := sort.Search(n, func(i int) bool { return m.waited[i].at.After(since) })
	if first = max(first-1, 0); n-first < 2 {
		return false
	}
	from, to := m.waited[first], m.waited[n-1]
	return to.total-from.total > to.at.Sub(from.at)/2
}

// worst is how long we have been kept waiting since a moment.
func (m *machine) worst(since time.Time) (worst time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.stalls {
		if s.at.After(since) {
			worst = max(worst, s.length)
		}
	}
	return worst
}
