package checker

import "time"

// entry is the state of one check. Checker.mu guards it, except for check, which never changes.
type entry struct {
	check Check // with defaults

	evaluation evaluation
	explanation
	result  *Result // immutable; replaced as a whole
	removed bool

	due      time.Time // of the next run, or of the next timeout of an abandoned one
	earliest time.Time // when the next run may start by its jitter
	wake     time.Time // when the scheduler handles it next
	slot     int       // index in Checker.timers; -1 for none

	queued bool // due, waiting for a free run
	run    *run // in flight, possibly abandoned
	// completed is closed once the run that is queued or in flight has been published; nil without a waiter.
	completed chan struct{}
	logged    time.Time // of the last record
}

func newEntry(check *Check) *entry {
	e := &entry{check: check.withDefaults(), slot: -1}
	e.evaluation.status = e.check.withoutResult()
	e.describe(&Result{Status: e.evaluation.status, Runs: Runs{Since: time.Now()}})
	return e
}

// schedule makes e due at that time, without jitter, unless its results are pushed.
func (e *entry) schedule(due time.Time) {
	if e.check.TTL == 0 {
		e.due, e.earliest = due, due
	}
}

// describe makes r the result, with what it says of the check itself.
func (e *entry) describe(r *Result) {
	c := &e.check
	r.Name, r.Kind, r.Title, r.Optional, r.Shadow, r.Gates = c.Name, c.Kind, c.Title, c.Optional, c.Shadow, c.Gates
	r.Warning, r.Critical = c.Warning, c.Critical
	r.Message = r.fullMessage(e.evaluation.text)
	e.result = r
}

// inherit takes over what is known from old, which e replaces. A result does not expire earlier for that.
func (e *entry) inherit(old *entry, now time.Time) {
	e.completed, old.completed = old.completed, nil
	if old.result.Reason == ReasonNotRunYet {
		return
	}
	r := *old.result
	e.evaluation, e.explanation, e.logged = old.evaluation, old.explanation, old.logged
	if e.check.Optional && r.Status.Worse(Warning) {
		e.evaluation.status, r.Status, r.Since = Warning, Warning, now
	}
	if expires := r.At.Add(e.check.lifetime()); expires.After(r.Expires) {
		r.Expires = expires
	}
	if e.check.Run != nil {
		r.Measurement = Measurement{}
	}
	e.describe(&r)
}

// stuck reports whether an abandoned run is still in flight.
func (e *entry) stuck() bool { return e.run != nil && e.run.abandoned }

// running reports whether a run is in flight that is not abandoned.
func (e *entry) running() bool { return e.run != nil && !e.run.abandoned }

// expiry returns when the result expires, zero if there is none or it has expired.
func (e *entry) expiry() time.Time {
	if e.result.Reason == ReasonStale {
		return time.Time{}
	}
	return e.result.Expires
}

// expired reports whether the result should be stale, but is not.
func (e *entry) expired(now time.Time) bool {
	expires := e.expiry()
	return !expires.IsZero() && !expires.After(now)
}

// nextWake returns when the scheduler has to handle e, zero while it only waits for a free run.
func (e *entry) nextWake() time.Time {
	switch {
	case e.running():
		return earlier(e.run.deadline.Add(returnGrace), e.expiry())
	case !e.queued:
		return earlier(e.due, e.expiry())
	default:
		return e.expiry()
	}
}

// earlier returns the earlier of two times, of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// evaluate replaces evaluation and result by those that follow from o and returns the result before.
func (e *entry) evaluate(o *outcome, now time.Time) (before *Result) {
	before = e.result
	next := *before
	e.evaluation = e.evaluation.after(o, &e.check)
	v := e.evaluation
	next.Status, next.Reason, next.Value, next.Failures = v.status, v.reason, v.value, v.failures
	next.Err = o.err
	if o.measured {
		next.Measurement = o.measurement
	}
	if o.values != nil {
		next.Values = o.values
	}
	next.Message = next.fullMessage(v.text)
	if before.Status != next.Status || before.Since.IsZero() {
		next.Since = now
	}
	if (o.event == passed || o.event == degraded) && v.failures == 0 {
		next.LastSuccess = now
	}
	if o.ran || o.event != inconclusive { // not by expiry
		next.At = now
		next.Expires = now.Add(e.check.lifetime())
		next.Runs.AddResults(next.Status, 1)
	}
	if o.ran {
		next.Duration = o.duration
		next.Runs.AddRuns(o.duration, 1)
		if o.abandoned {
			next.Runs.Abandoned++
		}
	}
	e.result = &next
	return before
}
