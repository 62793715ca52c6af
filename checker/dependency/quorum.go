package dependency

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Member is one of several functions that make a check together.
type Member struct {
	// Name tells the members of one group apart. Required.
	Name string
	// Run asks, as checker.Check.Run does. Required.
	Run func(context.Context) error
}

// All returns a function that passes if every member does: parts that are useless without each other.
func All(members ...Member) (func(context.Context) error, error) {
	return Quorum(len(members), members...)
}

// Any returns a function that passes if at least one member does: replicas that stand in for each other.
func Any(members ...Member) (func(context.Context) error, error) {
	return Quorum(1, members...)
}

// Quorum returns a function that passes if at least need members do: the nodes of a cluster that votes.
//
// The members run in parallel. It returns as soon as enough have passed, and cancels the others; or, once enough can
// no longer pass, shortly after, with an error that names each member that failed or has not answered. A panic of a
// member is a failure of that member. No member has two runs at a time.
func Quorum(need int, members ...Member) (func(context.Context) error, error) {
	var mistakes []error
	if len(members) == 0 {
		mistakes = append(mistakes, errors.New("dependency: at least one member is required"))
	} else if need < 1 || need > len(members) {
		mistakes = append(mistakes, fmt.Errorf("dependency: a quorum of %d is not possible among %d members", need, len(members)))
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
			mistakes = append(mistakes, fmt.Errorf("dependency: member %q is there twice", m.Name))
		}
		g.members[i] = &member{Member: m, running: make(chan struct{}, 1)}
	}
	if mistakes != nil {
		return nil, errors.Join(mistakes...)
	}
	return g.run, nil
}

type group struct {
	need    int
	members []*member
}

// grace is how long the others may still speak once the group has failed, so that the error names all that are down
// and not just the fastest to say so.
const grace = 250 * time.Millisecond

// answer is what member number index said.
type answer struct {
	index int
	err   error
}

func (g *group) run(ctx context.Context) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, len(g.members)) // room for all: nobody waits to answer a run that is over
	errs := make([]error, len(g.members))
	for i, m := range g.members {
		errs[i] = errSilent
		go m.run(asking, func(err error) { answers <- answer{i, err} })
	}
	passed, failed := 0, 0
	lost := time.NewTimer(grace)
	lost.Stop() // until the group has failed
	defer lost.Stop()
	for passed+failed < len(g.members) {
		select {
		case a := <-answers:
			errs[a.index] = a.err
			if a.err == nil {
				passed++
			} else if failed++; len(g.members)-failed == g.need-1 {
				lost.Reset(grace)
			}
		case <-lost.C:
			return g.verdict(passed, errs)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), g.verdict(passed, errs))
		}
		if passed >= g.need {
			return nil
		}
	}
	return g.verdict(passed, errs)
}

var errSilent = errors.New("has not answered")

// verdict is the error of a group that has failed.
func (g *group) verdict(passed int, errs []error) error {
	var named []error
	for i, err := range errs {
		if err != nil {
			named = append(named, fmt.Errorf("%s: %w", g.members[i].Name, err))
		}
	}
	return fmt.Errorf("%d of %d must pass, %d did: %w", g.need, len(g.members), passed, errors.Join(named...))
}
