package servicertest

import (
	"context"
	"fmt"
	"slices"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// watch records one Watch stream.
type watch struct {
	name   string
	record *broadcast.Value[record]
}

// record is what a watch has received. It is immutable.
type record struct {
	received []servingStatus
	ended    bool
	err      error // of the end
}

// newestIs returns a condition on the newest status of a record.
func newestIs(state servingStatus) func(*record) bool {
	return func(r *record) bool { return len(r.received) > 0 && r.received[len(r.received)-1] == state }
}

func hasStatus(r *record) bool { return len(r.received) > 0 }
func hasEnded(r *record) bool  { return r.ended }

func (r *record) String() string {
	text := fmt.Sprint(r.received)
	if r.ended {
		text += fmt.Sprintf(", then the end with %v", status.Code(r.err))
	}
	return text
}

// watch opens a watch of name, until its end or cancelWatches.
func (t *tester) watch(name string) *watch {
	w := &watch{name: name, record: broadcast.New(&record{})}
	t.watches = append(t.watches, w)
	t.wg.Go(func() {
		var received []servingStatus
		stream, err := t.health.Watch(t.watchCtx, &healthpb.HealthCheckRequest{Service: name})
		for err == nil {
			var response *healthpb.HealthCheckResponse
			if response, err = stream.Recv(); err == nil {
				received = append(received, response.GetStatus())
				w.record.Store(&record{received: slices.Clone(received)})
			}
		}
		w.record.Store(&record{received: received, ended: true, err: err})
	})
	return w
}

// until waits for a record that meets the condition, for at most Target.Timeout, and returns the newest one.
func (t *tester) until(ctx context.Context, w *watch, condition func(*record) bool) (r *record, found bool) {
	ctx, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	for r := range w.record.Changes(ctx) {
		if condition(r) || r.ended {
			return r, condition(r)
		}
	}
	return w.record.Load(), false
}

// watchNames opens a watch of every name and tests its first message, and that the watch of an unknown name stays open.
func (t *tester) watchNames(ctx context.Context) {
	for _, name := range t.target.Names {
		before, errBefore := t.check(ctx, name)
		r, received := t.until(ctx, t.watch(name), hasStatus)
		t.want("watch.first", received, "the status of "+quote(name), "%v", r)
		after, errAfter := t.check(ctx, name)
		if received && errBefore == nil && errAfter == nil && before == after { // else it changed meanwhile
			t.want("watch.agrees", r.received[0] == before, fmt.Sprintf("%v for %q", before, name), "%v", r.received[0])
		}
	}
	w := t.watch(unknownName)
	r, received := t.until(ctx, w, hasStatus)
	t.want("watch.unknown", received && r.received[0] == serviceUnknown, "SERVICE_UNKNOWN for "+quote(unknownName), "%v", r)
	sleep(ctx, t.target.ObserveFor)
	r = w.record.Load()
	t.want("watch.unknown", !r.ended, "an open watch", "%v", r)
}

// onlyChanges tests that no watch has received a status twice in a row.
func (t *tester) onlyChanges() {
	for _, w := range t.watches {
		if r := w.record.Load(); hasStatus(r) {
			repeated := len(slices.Compact(slices.Clone(r.received))) < len(r.received)
			t.want("watch.changes", !repeated, "changes only, for "+quote(w.name), "%v", r)
		}
	}
}
