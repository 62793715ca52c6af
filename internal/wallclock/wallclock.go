// Package wallclock translates times between wall clocks: the wall clock may be set while a process runs, and what was read
// before is then off by the step. Only differences of times that have a monotonic reading stay right.
package wallclock

import "time"

// least is the smallest step that counts: a time.Time's two clocks are not read at the same moment.
const least = time.Second

// On returns t as the wall clock of now would have shown it: t itself, unless the clock has been set by a second or more
// between t and now; then in whole seconds, so that it is the same for each now. A time without a monotonic reading stays.
func On(now, t time.Time) time.Time {
	elapsed := now.Sub(t)
	step := now.Round(0).Sub(t.Round(0)) - elapsed
	if step.Abs() < least {
		return t
	}
	return now.Add(-elapsed).Round(time.Second)
}

// Start returns t, the beginning of a count that ends now, and On if t would lie after now. A clock that was set forward
// changes nothing: for the readers of counts, another beginning is a reset.
func Start(now, t time.Time) time.Time {
	if t.Round(0).After(now.Round(0)) {
		return On(now, t)
	}
	return t
}
