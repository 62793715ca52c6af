package checker

import "time"

// entry is all that a Checker holds about one check. Checker.mu guards it, except for check, which never changes.
type entry struct {
	check Check // with its defaults filled in
	rules rules

	verdict verdict
	result  *Result // immutable; replaced as a whole
	pos     int     // where it stands in Checker.entries; -1 once removed

	due  time.Time // when the next run is to start, or the next tick of an abandoned one
	wake time.Time // when the scheduler looks at it again
	slot int       // its place in the agenda; -1 for none

	queued bool // due, and waiting for its turn
	run    *run // in flight, possibly abandoned
	// done is closed once the run that is queued or in flight has been judged and published. It is nil as long
	// as nobody waits.
	done   chan struct{}
	logged time.Time // when the log last heard of it
}

func newEntry(check *Check) *entry {
	e := &entry{check: check.withDefaults(), slot: -1}
	e.rules = e.check.rules()
	e.result = &Result{
		Name: e.check.Name, Kind: e.check.Kind, Title: e.check.Title, Optional: e.check.Optional,
		Gates: e.check.Gates, Warning: e.check.Warning, Critical: e.check.Critical,
	}
	e.result.Message = e.result.message()
	return e
}

// stuck reports whether an abandoned run is still in flight.
func (e *entry) stuck() bool { return e.run != nil && e.run.abandoned }

// expiry returns when the result stops being believed, if it has not yet and if there is one.
func (e *entry) expiry() (time.Time, bool) {
	return e.result.Expires, !e.result.Expires.IsZero() && e.result.Reason != ReasonStale
}

// nextWake returns when something has to be decided about e, and false for never: it waits for its turn.
func (e *entry) nextWake() (time.Time, bool) {
	expires, ok := e.expiry()
	wake := expires
	switch {
	case e.run != nil && !e.run.abandoned:
		wake = e.run.deadline.Add(returnGrace)
	case !e.queued:
		wake = e.due
	case !ok:
		return time.Time{}, false
	}
	if ok && expires.Before(wake) {
		return expires, true
	}
	return wake, true
}

// evaluate replaces verdict and result by those that follow from o and returns the result before.
func (e *entry) evaluate(o *outcome, now time.Time) (before *Result) {
	before = e.result
	next := *before
	e.verdict = e.verdict.after(o.observation(), e.rules)
	v := e.verdict
	next.Status, next.Reason, next.Value, next.Failures = v.status, v.reason, v.value, v.failures
	next.Err = o.err
	if o.measured {
		next.Measurement = o.measurement
	}
	next.Message = next.message()
	if before.Status != next.Status || before.Since.IsZero() {
		next.Since = now
	}
	if o.event == passed && v.failures == 0 {
		next.LastSuccess = now
	}
	if !o.expired {
		next.At = now
		next.Expires = now.Add(e.check.lifetime())
		next.Runs.AddResults(next.Status, 1)
	}
	if o.ran {
		next.count(o)
	}
	e.result = &next
	return before
}

// count adds a run to the statistics.
func (r *Result) count(o *outcome) {
	r.Duration = o.duration
	r.Runs.AddRuns(o.duration, 1)
	if o.abandoned {
		r.Runs.Abandoned++
	}
}
