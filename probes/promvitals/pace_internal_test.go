package promvitals

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestScrapeRestsAfterEachSliceOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		began := time.Now()
		for range 50 {
			p.step()
			time.Sleep(workSlice / 5) // a piece of work
		}
		p.step()
		worked := 50 * (workSlice / 5)
		if rested := time.Since(began) - worked; rested != 10*rest || rested != p.rested {
			t.Errorf("rested %v within %v of work (%v by its own account), want %v", rested, worked, p.rested, 10*rest)
		}
	})
}

// A scrape must come through where every rest takes long, or there is much to do.
func TestScrapeDoesNotRestForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		began := time.Now()
		const steps = 10_000
		for range steps {
			p.step()
			time.Sleep(workSlice)
		}
		if rested := time.Since(began) - steps*workSlice; rested < mostRest || rested > mostRest+rest {
			t.Errorf("rested %v, want %v", rested, mostRest)
		}
	})
}
