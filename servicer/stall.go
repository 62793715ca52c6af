package servicer

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// stallTimeout is how long a source may block. It is counted in beats of a timer, so that time in which the process
	// is suspended or gets no CPU does not count.
	stallTimeout = stallBeats * stallBeat
	stallBeats   = 10
	stallBeat    = time.Second
)

// stallTimer calls a function when a read of the sources takes stallTimeout. It costs nothing between reads.
type stallTimer struct {
	mu     sync.Mutex
	timer  *time.Timer // nil until the first start
	beats  int
	active bool
	report func()
}

// start begins to count, if enabled.
func (t *stallTimer) start(enabled bool, report func()) {
	if !enabled {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.beats, t.active, t.report = 0, true, report
	if t.timer == nil {
		t.timer = time.AfterFunc(stallBeat, t.beat)
	} else {
		t.timer.Reset(stallBeat)
	}
}

// stop ends the count.
func (t *stallTimer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active = false
	if t.timer != nil {
		t.timer.Stop()
	}
}

func (t *stallTimer) beat() {
	t.mu.Lock()
	due := false
	if t.active {
		t.beats++
		if due = t.beats == stallBeats; !due {
			t.timer.Reset(stallBeat)
		}
	}
	report := t.report
	t.mu.Unlock()
	if due {
		report()
	}
}

// overdue reports whether a read has taken stallTimeout.
func (t *stallTimer) overdue() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.active && t.beats >= stallBeats
}

// reportStall makes names fail until the source returns, unless it has done so meanwhile or Run has returned.
func (s *Server) reportStall() {
	s.update(func(in *inputs) {
		if in.state != evaluating || !s.stall.overdue() {
			return
		}
		in.state = stalled
		s.log.Log(slog.LevelError, "health evaluation stalled: source blocks",
			slog.String("source", s.blockingName()), slog.Duration("since", stallTimeout))
	})
}

// blockingName is the field of Config that holds the source which is being read, or was read last.
func (s *Server) blockingName() string {
	if s.override.reading.Load() && !s.stall.overdue() {
		return "OverrideFile"
	}
	return fmt.Sprintf("Breakers[%d]", s.sources.blocking.Load())
}

// stateMetric is the metric of an evaluation that has stalled or ended; false while it goes on.
func stateMetric(in *inputs) (Metric, bool) {
	if in.state == evaluating || in.phase >= Draining {
		return Metric{}, false
	}
	value := "stopped"
	if in.state == stalled {
		value = "stalled"
	}
	return unknownEvaluation(value, in.now), true
}
