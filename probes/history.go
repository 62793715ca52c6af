package probes

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

const (
	// runsKept is how many runs of a check the page can show.
	runsKept = 48
	// pointsKept and pointSpacing make the charts of the requests ten minutes wide.
	pointsKept   = 120
	pointSpacing = 5 * time.Second
)

// history remembers, for the page, what reports themselves forget. It holds a bounded number of samples for each
// check that there is.
type history struct {
	mu     sync.Mutex
	seq    uint64
	runs   map[string][]run
	points []point
}

// run is one run of a check.
type run struct {
	at       time.Time
	status   checker.Status
	duration time.Duration
	value    float64
}

// point is the state of the requests at one time.
type point struct {
	at       time.Time
	rate     float64 // per second
	failures float64 // percent
	p50, p99 time.Duration
}

func newHistory() *history { return &history{runs: make(map[string][]run)} }

// Run keeps the history that the status page draws, until ctx ends. Without it the page only remembers the editions
// that somebody has looked at. It returns nil.
func (h *Handler) Run(ctx context.Context) error {
	for report := range servicer.Changes(ctx, h.health) {
		h.history.observe(report)
	}
	return nil
}

// observe takes in an edition. Snapshots that have been seen, or are older than one that has, change nothing.
func (h *history) observe(report *servicer.Report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if report == nil || report.Revision <= h.seq {
		return
	}
	h.seq = report.Revision
	for _, check := range report.Checks {
		if !check.At.IsZero() {
			h.runs[check.Name] = remember(h.runs[check.Name], check)
		}
	}
	if len(h.runs) > len(report.Checks) {
		h.forget(report.Checks)
	}
	h.sample(report)
}

// remember returns runs with a newer one added, or with the last one's status corrected. It never writes into runs,
// which a reader may hold.
func remember(runs []run, check *checker.Result) []run {
	latest := run{check.At, check.Status, check.Duration, check.Measurement.Value}
	if n := len(runs); n > 0 && !check.At.After(runs[n-1].at) {
		if runs[n-1].status == latest.status {
			return runs
		}
		runs = runs[:n-1]
	}
	kept := runs[max(0, len(runs)-runsKept+1):]
	return append(slices.Clip(kept), latest)
}

// forget drops checks that are no longer there.
func (h *history) forget(checks []*checker.Result) {
	there := make(map[string]bool, len(checks))
	for _, check := range checks {
		there[check.Name] = true
	}
	for name := range h.runs {
		if !there[name] {
			delete(h.runs, name)
		}
	}
}

func (h *history) sample(report *servicer.Report) {
	if report.Requests == nil {
		return
	}
	w, at := report.Requests.Window, report.Requests.Time
	if n := len(h.points); n > 0 && at.Sub(h.points[n-1].at) < pointSpacing {
		return
	}
	p := point{at: at, p50: w.P50, p99: w.P99}
	if w.Span > 0 {
		p.rate = float64(w.Requests) / w.Span.Seconds()
	}
	if w.Requests > 0 {
		p.failures = 100 * float64(min(w.Failures, w.Requests)) / float64(w.Requests)
	}
	kept := h.points[max(0, len(h.points)-pointsKept+1):]
	h.points = append(slices.Clip(kept), p)
}

// of returns the runs of one check, oldest first. The slice never changes.
func (h *history) of(name string) []run {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs[name]
}

// requests returns the points of the charts, oldest first. The slice never changes.
func (h *history) requests() []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.points
}
