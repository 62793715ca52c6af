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

// drain shuts the server down and tests it until its end.
func (t *tester) drain(ctx context.Context) {
	err := t.becomes(ctx, serving, t.readiness)
	t.want("drain.notifies", err == nil, "a server that is ready before it drains", "%v", err)
	for _, w := range t.watches { // the NOT_SERVING of an earlier failure must not count as that of the drain
		if state, err := t.check(ctx, w.name); err == nil {
			t.until(ctx, w, newestIs(state))
		}
	}
	t.drainBegan = time.Now()
	draining, done := context.WithCancel(ctx)
	go func() { // not in wg, as Drain may never return
		defer done()
		t.target.Drain()
	}()
	t.notified(ctx)
	if t.target.DrainDelay > 0 {
		t.duringDelay(ctx)
	}
	t.watchesEnd(ctx)
	sleep(draining, t.target.Timeout)
	ended := draining.Err() != nil
	if ctx.Err() != nil {
		return
	}
	t.want("drain.ends", ended, "Drain to return while watches are open", "no return after %v", time.Since(t.drainBegan))
	if !ended {
		t.cancelWatches() // so that it can end
		sleep(draining, t.target.Timeout)
		return
	}
	if t.target.File != "" {
		_, err := os.Lstat(t.target.File)
		t.want("drain.file", errors.Is(err, fs.ErrNotExist), "no file", "a file after the end (%v)", err)
	}
}

// notified tests that every watch but that of liveness receives NOT_SERVING before its end.
func (t *tester) notified(ctx context.Context) {
	for _, w := range t.watches {
		rule := "drain.notifies"
		switch w.name {
		case checker.Liveness:
			continue
		case unknownName:
			rule = "drain.unknown"
		}
		r, found := t.until(ctx, w, newestIs(notServing))
		if ctx.Err() == nil {
			t.want(rule, found, "NOT_SERVING for "+quote(w.name), "%v", r)
		}
	}
}

// left is the rest of the drain delay, less a margin: the drain began after drainBegan.
func (t *tester) left() time.Duration {
	return t.target.DrainDelay - t.target.DrainDelay/10 - time.Since(t.drainBegan)
}

// duringDelay tests for most of the drain delay that the server serves and its endpoints report the drain, which may take
// them half of the delay.
func (t *tester) duringDelay(ctx context.Context) {
	endpoints, delay := t.allEndpoints(), t.target.DrainDelay
	for more := true; more; {
		live, err := t.servesCalls(ctx)
		late := time.Since(t.drainBegan) > delay/2
		errs := map[string]error{}
		for _, e := range endpoints {
			errs[e.rule] = e.query(ctx, state{live: true, draining: true})
		}
		if ctx.Err() != nil || t.left() <= 0 {
			return // the server may have stopped meanwhile
		}
		t.want("drain.serves", err == nil, "responses as before", "%v", err)
		if t.knows(checker.Liveness) {
			t.want("drain.liveness", live, "SERVING", "another status %v after the drain began", time.Since(t.drainBegan))
		}
		for rule, err := range errs {
			if err == nil || late {
				t.want("drain.endpoints", err == nil, "live and not ready from "+rule, "%v", err)
			}
		}
		more = t.left() > delay/3
		sleep(ctx, delay/10)
	}
}

// servesCalls queries everything once and returns whether liveness is serving, and what else is wrong.
func (t *tester) servesCalls(ctx context.Context) (live bool, wrong error) {
	for _, name := range t.target.Names {
		state, err := t.check(ctx, name)
		switch {
		case err != nil:
			wrong = errors.Join(wrong, fmt.Errorf("%w for %q", err, name))
		case name == checker.Liveness:
			live = state == serving
		case state != notServing:
			wrong = errors.Join(wrong, fmt.Errorf("%v for %q", state, name))
		}
	}
	if t.target.Call != nil {
		if err := t.target.Call(ctx); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("call failed: %w", err))
		}
	}
	return live, wrong
}

// watchesEnd tests that the server ends every watch with a code that makes clients reconnect.
func (t *tester) watchesEnd(ctx context.Context) {
	sleep(ctx, t.left())
	timeout, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	for _, w := range t.watches {
		r, _ := t.until(timeout, w, hasEnded)
		if ctx.Err() == nil && r.ended { // else drain.ends fails
			t.want("drain.code", status.Code(r.err) == codes.Unavailable, "UNAVAILABLE for "+quote(w.name), "%v", r)
		}
	}
}
