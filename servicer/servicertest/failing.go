package servicertest

import (
	"context"
	"fmt"
	"slices"

	"github.com/vitals-go/vitals/checker"
)

// failing makes one check fail and recover, and tests all endpoints both times.
func (t *tester) failing(ctx context.Context, check string) {
	err := t.becomes(ctx, serving, t.readiness)
	t.want("fail.readiness", err == nil, "a server that is ready before a check fails", "%v", err)
	if err != nil {
		return
	}
	var affected []string // names that the check should take out
	for _, name := range []string{"", t.readiness, check} {
		if _, err := t.check(ctx, name); err == nil && !slices.Contains(affected, name) {
			affected = append(affected, name)
		}
	}
	recoverCheck := t.target.Fail[check]()
	t.turns(ctx, "fail.readiness", notServing, affected)
	if t.knows(checker.Liveness) {
		state, err := t.check(ctx, checker.Liveness)
		t.want("fail.liveness", err == nil && state == serving, "SERVING while "+check+" fails", "%v", either(state, err))
	}
	recoverCheck()
	t.turns(ctx, "fail.recover", serving, affected)
}

// turns tests that the status of names becomes state at all endpoints.
func (t *tester) turns(ctx context.Context, rule string, state servingStatus, names []string) {
	err := t.becomes(ctx, state, names...)
	t.want(rule, err == nil, fmt.Sprintf("%v for %q", state, names), "%v", err)
	if err != nil {
		return
	}
	for _, w := range t.watches {
		if slices.Contains(names, w.name) {
			r, found := t.until(ctx, w, newestIs(state))
			t.want("watch.follows", found, fmt.Sprintf("%v for %q", state, w.name), "%v", r)
		}
	}
	t.endpoints(ctx)
}

// becomes waits until Check returns state for all names.
func (t *tester) becomes(ctx context.Context, state servingStatus, names ...string) error {
	return t.eventually(ctx, func() error {
		for _, name := range names {
			if got, err := t.check(ctx, name); err != nil || got != state {
				return fmt.Errorf("%v for %q", either(got, err), name)
			}
		}
		return nil
	})
}
