package servicer

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// ReportSource is what publishes reports: a *Server, or a fake in tests.
type ReportSource interface {
	// Report returns the newest report. It does not block, and returns the same pointer until there is a newer one.
	Report() *Report
	// Changed returns a channel that is closed as soon as there is a newer report.
	Changed() <-chan struct{}
}

// publication is the newest report and the notification of readers that wait for a newer one.
type publication struct {
	// report and outdated are written under Server.mu. outdated is set before a status is published that report does not
	// show, and cleared when a report that shows it is stored: a reader never sees a report that is older than a status.
	report   atomic.Pointer[Report]
	outdated atomic.Bool

	mu     sync.Mutex
	change chan struct{} // closed at the next change; nil until it is requested
}

// outdate marks the report as older than the statuses.
func (p *publication) outdate() { p.outdated.Store(true) }

// store publishes r.
func (p *publication) store(r *Report) {
	p.report.Store(r)
	p.outdated.Store(false)
}

// notify closes the channel that Changed has returned.
func (p *publication) notify() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.change != nil {
		close(p.change)
		p.change = nil
	}
}

func (p *publication) changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.change == nil {
		p.change = make(chan struct{})
	}
	return p.change
}

// Changes yields the newest report of source at once and then each newer one, until ctx is done or the loop is left. A
// reader that is slower than the changes skips reports, as Report.Revision shows.
func Changes(ctx context.Context, source ReportSource) iter.Seq[*Report] {
	return func(yield func(*Report) bool) {
		var last *Report
		for ctx.Err() == nil {
			changed := source.Changed()
			if report := source.Report(); report != last {
				last = report
				if !yield(report) {
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}
