package dependency

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Member is one of several functions that make a check together.
type Member struct {
	// Name identifies the member in errors. Required; unique.
	Name string
	// Run is a function as checker.Check.Run. Required.
	Run func(context.Context) error
}

// All returns a function that passes if every member does.
func All(members ...Member) (func(context.Context) error, error) {
	return Quorum(len(members), members...)
}

// Any returns a function that passes if at least one member does, as for replicas.
func Any(members ...Member) (func(context.Context) error, error) {
	return Quorum(1, members...)
}

// Quorum returns a function that passes if at least need members do.
//
// The members run in parallel. The function returns and cancels the others as soon as enough have passed, or shortly after
// enough can no longer pass, with an error that names each member that failed or has not returned. A panic is a failure of
// its member, a member that is degraded (checker.Degraded) passes, and the function is then degraded too. A member has at most
// one run at a time.
func Quorum(need int, members ...Member) (func(context.Context) error, error) {
	var mistakes []error
	if len(members) == 0 {
		mistakes = append(mistakes, errors.New("dependency: at least one member is required"))
	} else if need < 1 || need > len(members) {
		mistakes = append(mistakes, fmt.Errorf("dependency: got a quorum of %d of %d members, want 1 to %[2]d", need, len(members)))
	}
	g := &group{need: need, members: make([]*member, len(members))}
	for i, m := range members {
		if m.Name == "" {
			mistakes = append(mistakes, fmt.Errorf("dependency: member %d has no Name", i))
		}
		if m.Run == nil {
			mistakes = append(mistakes, fmt.Errorf("dependency: member %q has no Run", m.Name))
		}
		if slices.ContainsFunc(members[:i], func(other Member) bool { return m.Name != "" && other.Name == m.Name }) {
			mistakes = append(mistakes, fmt.Errorf("dependency: member %q is listed twice", m.Name))
		}
		g.members[i] = &member{Member: m, running: make(chan struct{}, 1)}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return g.run, nil
}

type group struct {
	need    int
	members []*member
}

// grace is the time for other members to fail after the group has failed, so that the error names all that are down.
const grace = 250 * time.Millisecond

// result is what a member returned.
type result struct {
	index int
	err   error
}

func (g *group) run(ctx context.Context) error {
	runCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result, len(g.members)) // no send blocks after the return
	errs := make([]error, len(g.members))
	for i, m := range g.members {
		errs[i] = errPending
		go m.run(runCtx, func(err error) { results <- result{i, err} })
	}
	passed, failed := 0, 0
	lost := time.NewTimer(grace)
	lost.Stop() // until the group has failed
	defer lost.Stop()
	for passed+failed < len(g.members) {
		select {
		case r := <-results:
			errs[r.index] = r.err
			if r.err == nil || isDegraded(ctx, r.err) {
				passed++
			} else if failed++; len(g.members)-failed == g.need-1 {
				lost.Reset(grace)
			}
		case <-lost.C:
			return g.failure(passed, errs)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), g.failure(passed, errs))
		}
		if passed >= g.need {
			return g.named(errs, func(err error) bool { return isDegraded(ctx, err) })
		}
	}
	return g.failure(passed, errs)
}

func isDegraded(ctx context.Context, err error) bool {
	return checker.ReasonFor(ctx, err) == checker.ReasonDegraded
}

var errPending = errors.New("has not returned")

// failure is the error of a group that has failed.
func (g *group) failure(passed int, errs []error) error {
	failed := g.named(errs, func(err error) bool { return err != nil })
	return fmt.Errorf("%d of %d must pass, %d did: %w", g.need, len(g.members), passed, failed)
}

// named joins those of errs that are kept, each with the name of its member.
func (g *group) named(errs []error, kept func(error) bool) error {
	var named []error
	for i, err := range errs {
		if kept(err) {
			named = append(named, fmt.Errorf("%s: %w", g.members[i].Name, err))
		}
	}
	return errors.Join(named...)
}

// member is a Member with at most one run at a time.
type member struct {
	Member

	running chan struct{} // holds a token while Run runs
}

var (
	errStuck  = errors.New("an earlier run is still in flight: it ignores its context")
	errGoexit = errors.New("ended its goroutine instead of returning")
)

// run is the goroutine of one run. It waits for an earlier run and calls done once, also after a panic or Goexit.
func (m *member) run(ctx context.Context, done func(error)) {
	select {
	case m.running <- struct{}{}:
	case <-ctx.Done():
		done(errStuck)
		return
	}
	err := errGoexit
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panicked: %v", cause)
		}
		<-m.running
		done(err)
	}()
	err = m.Run(ctx)
}
