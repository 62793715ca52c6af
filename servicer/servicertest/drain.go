package servicertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
)

// drainState is a drain that goes on.
type drainState struct {
	began time.Time
	over  chan struct{} // closed when Drain has returned
}

// drain ends the server and follows it to its end.
func (j *tester) drain(ctx context.Context) {
	err := j.becomes(ctx, serving, j.readiness)
	j.want("drain.told", err == nil, "a server that is ready before it drains", "%v", err)
	j.catchUp(ctx)
	e := &drainState{began: time.Now(), over: make(chan struct{})}
	go func() { // Nobody can wait for a Drain that never returns.
		defer close(e.over)
		j.target.Drain()
	}()
	j.notified(ctx)
	if j.target.DrainDelay > 0 {
		j.meanwhile(ctx, e)
	}
	j.watchesEnd(ctx, e)
	ended := e.within(ctx, j.target.Timeout)
	if ctx.Err() != nil {
		return
	}
	j.want("drain.ends", ended, "Drain to return while watches are open", "a server that still goes on after %v", time.Since(e.began))
	if !ended {
		j.hangUp() // so that it may end after all
		e.within(ctx, j.target.Timeout)
		return
	}
	if j.target.File != "" {
		_, err := os.Lstat(j.target.File)
		j.want("drain.file", errors.Is(err, fs.ErrNotExist), "no file", "one that outlives its writer (%v)", err)
	}
}

// catchUp waits until every watch has been told what Check says: the NOT_SERVING of an earlier failure, whose end a slow
// watch has not heard of yet, must not pass for the drain's.
func (j *tester) catchUp(ctx context.Context) {
	for _, w := range j.watches {
		if state, err := j.check(ctx, w.name); err == nil {
			j.until(ctx, w, says(state)) // one that never hears of it is a matter of the rules about watches
		}
	}
}

// notified wants every watch but that of liveness to hear NOT_SERVING before it ends.
func (j *tester) notified(ctx context.Context) {
	for _, w := range j.watches {
		if w.name == checker.Liveness {
			continue
		}
		rule := "drain.told"
		if w.name == j.target.Unknown {
			rule = "drain.unknown"
		}
		told, found := j.until(ctx, w, says(notServing))
		if ctx.Err() == nil {
			j.want(rule, found, "NOT_SERVING for "+show(w.name), "%v", told)
		}
	}
}

// left is how much of the delay can be counted on. It is measured from before Drain was called, so that a slow judge
// expects too little rather than too much.
func (e *drainState) left(delay time.Duration) time.Duration {
	return delay - delay/10 - time.Since(e.began)
}

// meanwhile wants the server to serve for most of the drain delay, and its doors to say what happens. A door may take
// half of the delay to notice.
func (j *tester) meanwhile(ctx context.Context, e *drainState) {
	endpoints, delay := j.allEndpoints(), j.target.DrainDelay
	for more := true; more; {
		alive, broken := j.servesOn(ctx)
		late := time.Since(e.began) > delay/2
		silent := map[string]error{}
		for _, d := range endpoints {
			silent[d.rule] = d.query(ctx, expectation{live: true, duringTheDrain: true})
		}
		if ctx.Err() != nil || e.left(delay) <= 0 {
			return // what was seen may be that of a server that has rightly gone
		}
		j.want("drain.serves", broken == nil, "answers as before", "%v", broken)
		if j.hasLiveness {
			j.want("drain.liveness", alive, "SERVING", "something else %v after the drain began", time.Since(e.began))
		}
		for _, d := range endpoints {
			err := silent[d.rule]
			if err == nil || late {
				j.want("drain.doors", err == nil, "the truth, where "+d.rule+" looks", "%v", err)
			}
		}
		more = e.left(delay) > delay/3
		sleep(ctx, delay/10)
	}
}

// servesOn asks everything once, and reports whether liveness serves and what else is not as it should be.
func (j *tester) servesOn(ctx context.Context) (alive bool, broken error) {
	for _, name := range j.target.Names {
		state, err := j.check(ctx, name)
		switch {
		case err != nil:
			broken = errors.Join(broken, fmt.Errorf("%w for %q", err, name))
		case name == checker.Liveness:
			alive = state == serving
		case state != notServing:
			broken = errors.Join(broken, fmt.Errorf("%v for %q", state, name))
		}
	}
	if j.target.Call != nil {
		if err := j.target.Call(ctx); err != nil {
			broken = errors.Join(broken, fmt.Errorf("the call fails: %w", err))
		}
	}
	return alive, broken
}

// watchesEnd wants the server to end every watch, with a code that makes its client come back elsewhere.
func (j *tester) watchesEnd(ctx context.Context, e *drainState) {
	sleep(ctx, e.left(j.target.DrainDelay))
	together, cancel := context.WithTimeout(ctx, j.target.Timeout)
	defer cancel()
	for _, w := range j.watches {
		told, _ := j.until(together, w, func(r *record) bool { return r.ended })
		if ctx.Err() == nil && told.ended { // one that does not end is a matter of drain.ends
			j.want("drain.code", status.Code(told.err) == codes.Unavailable, "UNAVAILABLE for "+show(w.name), "%v", told)
		}
	}
}

// within reports whether the drain was over in time.
func (e *drainState) within(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-e.over:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}
