package servicer

import (
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
)

const (
	// oversleep is how much later than it meant to the judge may look without anything being wrong.
	oversleep = 100 * time.Millisecond
	// secondChance is how long the checker has, after a standstill, to say something newer.
	secondChance = time.Second
)

// standstill notices that the process itself stood still, as after SIGSTOP or on a paused machine: the judge comes much
// later than it meant to. Nobody could renew a result meanwhile, so that time does not make it stale. The checker, which
// stood still as well, gets a second chance; one that has ended or hangs does not take it.
//
// A judge whom a slow witness keeps waiting is late as well, and at every look: there is one second chance for each
// edition of the checker's, and none before a result would be lost.
type standstill struct {
	due   time.Time // when the loop means to look again; zero without one
	last  time.Time // when somebody last looked, but for second chances
	until time.Time // the end of the second chance
	spent uint64    // the checker's edition that has had its second chance
}

// asOf returns the time by which what was heard is to be taken for stale at now, and when that has to be asked again,
// which is zero unless there is a second chance.
func (s *standstill) asOf(now time.Time, heard *testimony) (expiry, again time.Time) {
	late := !s.due.IsZero() && now.Sub(s.due) > oversleep
	if late && heard.edition != s.spent && s.loses(heard.checks, now) {
		s.until, s.spent = now.Add(secondChance), heard.edition
	}
	if now.Before(s.until) {
		return s.last, s.until
	}
	s.last = now
	return now, time.Time{}
}

// loses reports whether the time since somebody last looked makes any of checks stale.
func (s *standstill) loses(checks []*checker.Result, now time.Time) bool {
	return slices.ContainsFunc(checks, func(c *checker.Result) bool { return expired(c, now) && !expired(c, s.last) })
}
