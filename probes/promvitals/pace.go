package promvitals

import "time"

const (
	// workSlice is how long a scrape works between two rests.
	workSlice = 50 * time.Microsecond
	// rest is as short as it can be: the runtime's timers make about a millisecond of it where nothing else is to do.
	rest = 100 * time.Microsecond
	// mostRest is for each part of a scrape. Where everything waits for a processor, a rest takes far longer than it
	// should, and the scrape must come through all the same.
	mostRest = 50 * time.Millisecond
)

// pace makes a scrape step aside for calls. It is in no hurry and they are: with a rest after every slice of work a call
// waits for little more than a slice, even on a single processor. Yielding alone (runtime.Gosched) does not help, as the
// scheduler looks for news from the network only once nothing is left to run.
type pace struct {
	working time.Time // since when; zero before the first step
	rested  time.Duration
}

// step rests if it is time to. It is called between pieces of work that are shorter than a slice.
func (p *pace) step() {
	if p.rested >= mostRest {
		return
	}
	now := time.Now()
	switch {
	case p.working.IsZero():
		p.working = now
	case now.Sub(p.working) >= workSlice:
		time.Sleep(rest)
		p.resume(now)
	}
}

// resume goes on after a rest that began at a time.
func (p *pace) resume(began time.Time) {
	p.working = time.Now()
	p.rested += p.working.Sub(began)
}
