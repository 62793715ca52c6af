package servicertest

import (
	"context"
	"fmt"
	"slices"

	"github.com/vitals-go/vitals/checker"
)

// fail makes one check fail and cures it, and wants every door to follow both times.
func (j *tester) fail(ctx context.Context, check string) {
	err := j.becomes(ctx, serving, j.readiness)
	j.want("fail.readiness", err == nil, "a server that is ready as long as nothing fails", "%v", err)
	if err != nil {
		return
	}
	affected := j.affected(ctx, check)
	j.target.Fail(check)
	err = j.becomes(ctx, notServing, affected...)
	j.want("fail.readiness", err == nil, fmt.Sprintf("NOT_SERVING for %q while %s fails", affected, check), "%v", err)
	if err == nil {
		j.follows(ctx, notServing, affected...)
		j.endpoints(ctx)
	}
	if j.hasLiveness {
		state, err := j.check(ctx, checker.Liveness)
		j.want("fail.liveness", err == nil && state == serving, "SERVING while "+check+" fails", "%v", said(state, err))
	}
	j.target.Recover(check)
	err = j.becomes(ctx, serving, affected...)
	j.want("fail.heal", err == nil, fmt.Sprintf("SERVING for %q when %s is healthy again", affected, check), "%v", err)
	if err == nil {
		j.follows(ctx, serving, affected...)
		j.endpoints(ctx)
	}
}

// affected are the names that a failing check should take out, as far as the server knows them.
func (j *tester) affected(ctx context.Context, check string) []string {
	var affected []string
	for _, name := range []string{"", j.readiness, check} {
		if _, err := j.check(ctx, name); err == nil && !slices.Contains(affected, name) {
			affected = append(affected, name)
		}
	}
	return affected
}

// becomes waits until Check says state of all names.
func (j *tester) becomes(ctx context.Context, state servingStatus, names ...string) error {
	return j.eventually(ctx, j.target.Timeout, func() error {
		for _, name := range names {
			if got, err := j.check(ctx, name); err != nil || got != state {
				return fmt.Errorf("%v for %q", said(got, err), name)
			}
		}
		return nil
	})
}
