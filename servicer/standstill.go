package servicer

import "time"

const (
	// oversleep is how much later than it meant to the judge may look without anything being wrong.
	oversleep = 100 * time.Millisecond
	// secondChance is how long the checker has, after a standstill, to say something newer.
	secondChance = time.Second
)

// standstill notices that the process itself stood still, as after SIGSTOP or on a paused machine: the judge comes much
// later than it meant to. Nobody could renew a result meanwhile, so that time does not make it stale. The checker, which
// stood still as well, gets a second chance; one that has ended or hangs does not take it.
type standstill struct {
	due   time.Time // when the loop means to look again; zero without one
	last  time.Time // when somebody last looked, but for second chances
	until time.Time // the end of the second chance
}

// asOf returns the time by which results are to be taken for stale at now, and when that has to be asked again, which
// is zero unless there is a second chance.
func (s *standstill) asOf(now time.Time) (expiry, again time.Time) {
	if !s.due.IsZero() && now.Sub(s.due) > oversleep {
		s.until = now.Add(secondChance)
	}
	if now.Before(s.until) {
		return s.last, s.until
	}
	s.last = now
	return now, time.Time{}
}
