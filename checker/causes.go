package checker

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// explanation is what an entry knows about the cause of its failure.
type explanation struct {
	started   time.Time // of the run that led to the result
	confirmed bool      // the check in Result.CausedBy has failed; otherwise it runs again to find out
	own       bool      // no check that it depends on has failed with it
}

// explain names the cause of e's result, if e fails and a check that it depends on does, and returns the result before. A
// cause whose last result is older than the failure runs again at once, and is assumed to fail meanwhile.
func (c *Checker) explain(e *entry) (before *Result) {
	before = e.result
	name := before.CausedBy
	switch root := c.failingCause(e); {
	case before.Status == Healthy, before.Reason == ReasonNotRunYet:
		name, e.confirmed, e.own = "", false, false
	case root != "":
		name, e.confirmed, e.own = root, true, false
	case e.confirmed && c.recoveredSince(name, e.started):
		c.enqueue(e) // its failure may be over too
		c.reschedule(e)
	case !e.own && c.recheck(e, &name):
		e.confirmed = false
	default:
		name, e.confirmed, e.own = "", false, true
	}
	if name != before.CausedBy {
		next := *before
		next.CausedBy = name
		next.Message = next.fullMessage(e.evaluation.text)
		e.result, c.dirty = &next, true
	}
	return before
}

// explainOthers explains again every check that may depend on e, which has a new result, and logs those that e no longer
// explains.
func (c *Checker) explainOthers(e *entry, now time.Time) {
	if !c.linked {
		return
	}
	for _, other := range c.entries {
		if other == e || len(other.check.DependsOn) == 0 {
			continue
		}
		if before := c.explain(other); isTransition(before, other.result) {
			other.logged = now
			c.logResult(before, other.result, &outcome{}, true)
		}
	}
}

// failing reports whether e's failure explains others.
func (e *entry) failing() bool { return e.result.Failures > 0 || e.result.Status == Critical }

// failingCause returns the failing check at the root of what e depends on, "" if there is none.
func (c *Checker) failingCause(e *entry) string {
	for _, name := range e.check.DependsOn {
		cause := c.byName[name]
		if cause == nil {
			continue
		}
		if root := c.failingCause(cause); root != "" {
			return root
		}
		if cause.failing() {
			return name
		}
	}
	return ""
}

// recoveredSince reports whether the status of the check called name has changed after a run that began at started.
func (c *Checker) recoveredSince(name string, started time.Time) bool {
	cause := c.byName[name]
	return c.session != nil && cause != nil && cause.result.Since.After(started)
}

// recheck runs the checks that e depends on and whose results are older than e's run, and sets name to the first of them. It
// reports whether there is one.
func (c *Checker) recheck(e *entry, name *string) (found bool) {
	for _, cause := range c.causes(e.check.DependsOn) {
		if c.session == nil || cause.check.TTL > 0 || cause.stuck() || !cause.result.At.Before(e.started) {
			continue
		}
		c.enqueue(cause)
		c.reschedule(cause)
		if !found {
			*name, found = cause.check.Name, true
		}
	}
	return found
}

// causes returns the checks called names and those that they depend on, roots first.
func (c *Checker) causes(names []string) (all []*entry) {
	for _, name := range names {
		if cause := c.byName[name]; cause != nil {
			all = append(append(all, c.causes(cause.check.DependsOn)...), cause)
		}
	}
	return all
}

// validateCauses returns an error for each name in DependsOn that is unknown or depends on check itself.
func (c *Checker) validateCauses(check *Check) error {
	var errs []error
	for _, name := range check.DependsOn {
		if c.byName[name] == nil && name != check.Name {
			errs = append(errs, fmt.Errorf("checker: check %q: DependsOn: unknown check %q", check.Name, name))
		}
		if c.leadsTo(name, check.Name, nil) {
			errs = append(errs, fmt.Errorf("checker: check %q: DependsOn: %q depends on it", check.Name, name))
		}
	}
	return errors.Join(errs...)
}

// leadsTo reports whether the check called from is, or depends on, the one called to, which may not exist yet.
func (c *Checker) leadsTo(from, to string, seen []string) bool {
	if from == to {
		return true
	}
	cause := c.byName[from]
	if cause == nil || slices.Contains(seen, from) {
		return false
	}
	seen = append(seen, from)
	return slices.ContainsFunc(cause.check.DependsOn, func(next string) bool { return c.leadsTo(next, to, seen) })
}
