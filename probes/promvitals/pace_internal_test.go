package promvitals

import (
	"net/http/httptest"
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

// Where all processors are busy a short rest takes long, and few are enough.
func TestRestsCountForWhatTheyTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		for range 2 {
			began := time.Now()
			time.Sleep(mostRest / 2)
			p.resume(began)
		}
		began := time.Now()
		for range 100 {
			p.step()
			time.Sleep(workSlice)
		}
		if rested := time.Since(began) - 100*workSlice; rested != 0 {
			t.Errorf("rested for another %v", rested)
		}
	})
}

func TestAllPartsOfAScrapeRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text, f := new(toText), slowCallsFamily
		began := time.Now()
		for range 10 * stepSamples {
			text.count(f, f.with("database"), 1, nil)
			time.Sleep(workSlice / stepSamples)
		}
		if rested := time.Since(began) - 10*stepSamples*(workSlice/stepSamples); rested < 8*rest || rested > 10*rest {
			t.Errorf("rested %v while ten slices of samples were written", rested)
		}
		text.reset(plain)
		if text.pace != (pace{}) {
			t.Errorf("the next scrape begins with %+v", text.pace)
		}
		zipping := &zipWriter{ResponseWriter: httptest.NewRecorder(), zipped: newZipper()}
		zipping.pace.working = time.Now().Add(-workSlice)
		if n, err := zipping.Write(make([]byte, 3*zipPiece)); n != 3*zipPiece || err != nil || zipping.pace.rested != rest {
			t.Errorf("%d bytes, %v, rested %v", n, err, zipping.pace.rested)
		}
	})
}
