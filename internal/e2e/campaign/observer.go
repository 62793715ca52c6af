package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// eyes are the streams that stay open for one life of the server: a Watch for each name, and the report's editions.
type observer struct {
	transitionLog *transitionLog
	trails        map[string]*trail // by name of grpc.health.v1
	cancel        context.CancelFunc
	watching      sync.WaitGroup

	mu     sync.Mutex // guards what follows
	newest *vitalspb.HealthReportResponse
	ended  error // why the report's stream has ended
}

// trail is what one Watch has been told.
type trail struct {
	mu    sync.Mutex
	told  []string
	ended error // why it has ended, nil while it is open
}

// openObserver opens every stream. They come up as soon as the server does.
func openObserver(ctx context.Context, d *endpoints.Endpoints, names []string) *observer {
	ctx, cancel := context.WithCancel(ctx)
	e := &observer{transitionLog: newTransitionLog(), trails: map[string]*trail{}, cancel: cancel}
	for _, name := range names {
		t := &trail{}
		e.trails[name] = t
		e.watching.Go(func() { t.end(t.follow(ctx, d, name)) })
	}
	e.watching.Go(func() {
		err := e.follow(ctx, d)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.ended = err
	})
	return e
}

// close ends the streams.
func (e *observer) close() {
	e.cancel()
	e.watching.Wait()
}

func (e *observer) follow(ctx context.Context, d *endpoints.Endpoints) error {
	request := &vitalspb.WatchHealthReportRequest{MinIntervalSeconds: .1}
	editions, err := d.Reports.WatchHealthReport(ctx, request, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	for {
		report, err := editions.Recv()
		if err != nil {
			return err
		}
		e.transitionLog.add(report)
		e.mu.Lock()
		e.newest = report
		e.mu.Unlock()
	}
}

func (t *trail) follow(ctx context.Context, d *endpoints.Endpoints, name string) error {
	statuses, err := d.Health.Watch(ctx, &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	for {
		resp, err := statuses.Recv()
		if err != nil {
			return err
		}
		t.mu.Lock()
		t.told = append(t.told, resp.GetStatus().String())
		t.mu.Unlock()
	}
}

func (t *trail) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = err
}

// all returns what has been told, and why no more will be.
func (t *trail) all() ([]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.told), t.ended
}

// look asks for the newest report, so that the transitionLog is complete.
func (e *observer) look(ctx context.Context, d *endpoints.Endpoints) error {
	ctx, cancel := context.WithTimeout(ctx, endpoints.Timeout)
	defer cancel()
	report, err := d.Reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{})
	if err == nil {
		e.transitionLog.add(report)
	}
	return err
}

// compare compares what the streams have sent last.
func (e *observer) compare(q *oracle.Comparison) {
	last := map[string]string{}
	for name, t := range e.trails {
		told, err := t.all()
		if err != nil {
			q.Failed(fmt.Sprintf("Watch of %q", name), err)
			return
		}
		if len(told) > 0 {
			last[name] = told[len(told)-1]
		}
	}
	q.Statuses("Watch", last)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.ended; err != nil {
		q.Failed("WatchHealthReport", err)
		return
	}
	endpoints.CompareReport(q, "WatchHealthReport", e.newest)
}

// agree wants every Watch to have told of changes only, in the order of the journal. A watch that is behind misses what
// was true for a moment, never the last of it.
func (e *observer) agree() error {
	var wrong []error
	for name, t := range e.trails {
		told, _ := t.all()
		if len(told) > 0 && told[0] == "SERVICE_UNKNOWN" { // until SetServingStatus
			told = told[1:]
		}
		if len(slices.Compact(slices.Clone(told))) != len(told) {
			wrong = append(wrong, fmt.Errorf("the Watch of %q repeats itself: %v", name, told))
		}
		course := e.transitionLog.course("name/" + name)
		if len(told) > 1 && !isSubsequence(told[1:], course) {
			wrong = append(wrong, fmt.Errorf("the Watch of %q was told %v, and the journal has %v", name, told, course))
		}
	}
	return errors.Join(append(wrong, e.transitionLog.takeProblems()...)...)
}

// isSubsequence reports whether all of part is in whole, in order.
func isSubsequence(part, whole []string) bool {
	for _, s := range whole {
		if len(part) > 0 && part[0] == s {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// farewell wants every stream of a server that has drained to have been told so, and to have ended with UNAVAILABLE.
func (e *observer) farewell() error {
	e.watching.Wait()
	var wrong []error
	for name, t := range e.trails {
		told, err := t.all()
		last := ""
		if len(told) > 0 {
			last = told[len(told)-1]
		}
		if name != "liveness" && last != "NOT_SERVING" {
			wrong = append(wrong, fmt.Errorf("the Watch of %q ended after %v, want NOT_SERVING at last", name, told))
		}
		if status.Code(err) != codes.Unavailable {
			wrong = append(wrong, fmt.Errorf("the Watch of %q ended with %w, want UNAVAILABLE", name, err))
		}
	}
	if status.Code(e.ended) != codes.Unavailable {
		wrong = append(wrong, fmt.Errorf("WatchHealthReport ended with %w, want UNAVAILABLE", e.ended))
	}
	return errors.Join(wrong...)
}
