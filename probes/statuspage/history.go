package statuspage

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

const (
	// runsKept is the number of runs per check that the page shows.
	runsKept = 48
	// pointsKept × pointSpacing is the width of the request charts: ten minutes.
	pointsKept   = 120
	pointSpacing = 5 * time.Second
)

// history records the runs of checks and the request rates that reports do not keep, a bounded number of each. Its slices
// are replaced, never changed.
type history struct {
	mu       sync.Mutex
	revision uint64
	runs     map[string][]run
	points   []point
}

// run is one run of a check.
type run struct {
	at       time.Time
	status   checker.Status
	duration time.Duration
	value    float64
}

// point is a sample of the request statistics.
type point struct {
	at       time.Time
	rate     float64 // per second
	failures float64 // percent
	p50, p99 time.Duration
}

// record adds a report unless it or a newer one has been added.
func (h *history) record(report *servicer.Report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if report == nil || report.Revision <= h.revision {
		return
	}
	h.revision = report.Revision
	for _, check := range report.Checks {
		if !check.At.IsZero() {
			h.runs[check.Name] = withRun(h.runs[check.Name], check)
		}
	}
	if len(h.runs) > len(report.Checks) {
		maps.DeleteFunc(h.runs, func(name string, _ []run) bool {
			return !slices.ContainsFunc(report.Checks, func(check *checker.Result) bool { return check.Name == name })
		})
	}
	h.sample(report)
}

// withRun returns runs with a newer one added, or with the status of the last one updated.
func withRun(runs []run, check *checker.Result) []run {
	latest := run{check.At, check.Status, check.Duration, check.Measurement.Value}
	if n := len(runs); n > 0 && !check.At.After(runs[n-1].at) {
		if runs[n-1].status == latest.status {
			return runs
		}
		runs = runs[:n-1]
	}
	return appended(runs, runsKept, latest)
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
	h.points = appended(h.points, pointsKept, p)
}

// appended returns a copy of the newest elements of list with one more, limit in all.
func appended[T any](list []T, limit int, newest T) []T {
	return append(slices.Clip(list[max(0, len(list)-limit+1):]), newest)
}

// of returns the runs of one check, oldest first.
func (h *history) of(name string) []run {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs[name]
}

// requests returns the samples of the charts, oldest first.
func (h *history) requests() []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.points
}
