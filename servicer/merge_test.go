package servicer

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

func TestMergedBreakerIsTheOneThatRejectsMoreForLonger(t *testing.T) {
	now := time.Now()
	at := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	closed := breaker.Snapshot{Since: at(-9)}
	observing := breaker.Snapshot{State: breaker.Open, ObserveOnly: true, Since: at(-8), RetryAt: at(1)}
	halfOpen := breaker.Snapshot{State: breaker.HalfOpen, Since: at(-7)}
	older := breaker.Snapshot{State: breaker.Open, Since: at(-6), RetryAt: at(3)}
	younger := breaker.Snapshot{State: breaker.Open, Since: at(-5), RetryAt: at(2)}
	for i, test := range []struct {
		a, b, want breaker.Snapshot
		retryAt    time.Time
	}{
		{closed, observing, observing, at(1)},
		{closed, older, older, at(3)},
		{observing, halfOpen, halfOpen, time.Time{}},
		{halfOpen, older, older, at(3)},
		{older, younger, older, at(2)}, // the next call may pass when the first of the two lets it
	} {
		test.a.Calls = breaker.Calls{Successes: 1, Failures: 2, Neutral: 3, Slow: 4, Rejected: 5}
		test.b.Calls = breaker.Calls{Successes: 10, Failures: 20, Neutral: 30, Slow: 40, Rejected: 50}
		for _, got := range []breaker.Snapshot{mergeBreaker(test.a, test.b), mergeBreaker(test.b, test.a)} {
			if got.State != test.want.State || got.ObserveOnly != test.want.ObserveOnly || got.Since != test.want.Since || got.RetryAt != test.retryAt {
				t.Errorf("%d: got %+v, want %+v with RetryAt %v", i, got, test.want, test.retryAt)
			}
			if calls := fmt.Sprint(got.Calls); calls != "{11 22 33 44 55}" {
				t.Errorf("%d: got the calls %s, want those of both", i, calls)
			}
		}
	}
}
