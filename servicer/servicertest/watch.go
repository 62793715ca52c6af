package servicertest

import (
	"context"
	"fmt"
	"slices"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// watch is one Watch, recorded from its beginning to its end.
type watch struct {
	name string
	told *broadcast.Value[record]
}

// record is what a watch has been told so far. It is immutable.
type record struct {
	seen  []servingStatus
	ended bool
	err   error // why it has ended
}

// last returns the newest status, if there is one.
func (r *record) last() (state servingStatus, some bool) {
	if len(r.seen) == 0 {
		return 0, false
	}
	return r.seen[len(r.seen)-1], true
}

// says is what a record satisfies whose newest status is state.
func says(state servingStatus) func(*record) bool {
	return func(r *record) bool {
		last, some := r.last()
		return some && last == state
	}
}

// String is the record as findings show it.
func (r *record) String() string {
	text := fmt.Sprint(r.seen)
	if len(r.seen) == 0 {
		text = "nothing"
	}
	if r.ended {
		text += fmt.Sprintf(", and then the end with %v", status.Code(r.err))
	}
	return text
}

// watch follows name until the server ends it or the judge hangs up.
func (j *tester) watch(name string) *watch {
	w := &watch{name: name, told: broadcast.New(&record{})}
	j.watches = append(j.watches, w)
	j.goroutines.Go(func() {
		var seen []servingStatus
		stream, err := j.health.Watch(j.watching, &healthpb.HealthCheckRequest{Service: name})
		for err == nil {
			var response *healthpb.HealthCheckResponse
			if response, err = stream.Recv(); err == nil {
				seen = append(seen, response.GetStatus())
				w.told.Store(&record{seen: slices.Clone(seen)})
			}
		}
		w.told.Store(&record{seen: seen, ended: true, err: err})
	})
	return w
}

// until waits for a record that ok likes, at most for Target.Patience, and returns the newest one.
func (j *tester) until(ctx context.Context, w *watch, ok func(*record) bool) (told *record, found bool) {
	ctx, cancel := context.WithTimeout(ctx, j.target.Timeout)
	defer cancel()
	for told := range w.told.Changes(ctx) {
		if ok(told) {
			return told, true
		}
		if told.ended {
			return told, false
		}
	}
	return w.told.Load(), false
}

// watchAll opens a watch of every name and tests how it begins. All stay open until the drain.
func (j *tester) watchAll(ctx context.Context) {
	begun := func(r *record) bool { return len(r.seen) > 0 }
	for _, name := range j.target.Names {
		before, errBefore := j.check(ctx, name)
		w := j.watch(name)
		told, sent := j.until(ctx, w, begun)
		j.want("watch.first", sent, "the status of "+show(name), "%v", told)
		after, errAfter := j.check(ctx, name)
		if sent && errBefore == nil && errAfter == nil && before == after { // else it changed meanwhile
			j.want("watch.agrees", told.seen[0] == before, fmt.Sprintf("%v for %s", before, show(name)), "%v", told.seen[0])
		}
	}
	told, sent := j.until(ctx, j.watch(j.target.Unknown), begun)
	j.want("watch.unknown", sent && told.seen[0] == nobody, "SERVICE_UNKNOWN for "+show(j.target.Unknown), "%v", told)
}

// receive hears what watches say while nothing happens.
func (j *tester) receive(ctx context.Context) {
	sleep(ctx, j.target.ObserveFor)
	for _, w := range j.watches {
		told := w.told.Load()
		if w.name == j.target.Unknown {
			j.want("watch.unknown", !told.ended, "a watch that goes on", "%v", told)
		}
	}
}

// onlyChanges looks, at the end, at everything that watches were told.
func (j *tester) onlyChanges() {
	for _, w := range j.watches {
		told := w.told.Load()
		repeated := len(slices.Compact(slices.Clone(told.seen))) < len(told.seen)
		if len(told.seen) > 0 {
			j.want("watch.changes", !repeated, "changes only, for "+show(w.name), "%v", told)
		}
	}
}

// follows waits until each watch of one of the names has been told state.
func (j *tester) follows(ctx context.Context, state servingStatus, names ...string) {
	for _, w := range j.watches {
		if !slices.Contains(names, w.name) {
			continue
		}
		told, found := j.until(ctx, w, says(state))
		j.want("watch.follows", found, fmt.Sprintf("%v for %s", state, show(w.name)), "%v", told)
	}
}
