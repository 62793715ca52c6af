package breaker_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

func TestConcurrentUseCountsEveryCallOnce(t *testing.T) {
	b := newBreaker(t, breaker.Config{OpenTime: time.Millisecond, MaxOpenTime: 2 * time.Millisecond, MaxCallTime: 5 * time.Millisecond})
	check := b.Check(probeOf(b))
	var calls sync.WaitGroup
	var mu sync.Mutex
	var admitted, rejected uint64
	for range 8 {
		calls.Go(func() {
			var ok, no uint64
			for range 2000 {
				var outcome error
				if rand.IntN(3) == 0 {
					outcome = errDown
				}
				if breaker.IsRejected(call(t, b, outcome)) {
					no++
				} else {
					ok++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			admitted, rejected = admitted+ok, rejected+no
		})
	}
	done := make(chan struct{})
	var rest sync.WaitGroup
	rest.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				b.Snapshot()
				b.State()
				b.TripFor(time.Microsecond)
				b.ForceOpen("test")
				b.ForceClosed("test")
				b.Reset()
			}
		}
	})
	calls.Wait()
	close(done)
	rest.Wait()
	s := b.Snapshot()
	if s.Calls.Successes+s.Calls.Failures != admitted || s.Calls.Rejected != rejected {
		t.Fatalf("%+v, want %d admitted and %d rejected", s.Calls, admitted, rejected)
	}
	if err := check(t.Context()); err != nil && !breaker.IsRejected(err) {
		t.Fatal(err)
	}
}
