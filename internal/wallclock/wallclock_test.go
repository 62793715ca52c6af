package wallclock_test

import (
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/clocktest"
	"github.com/vitals-go/vitals/internal/wallclock"
)

func TestOnAndStart(t *testing.T) {
	for _, test := range []struct {
		set         time.Duration
		ago         time.Duration
		shifts      bool
		shiftsStart bool
	}{
		{0, time.Minute, false, false},
		{-time.Hour, time.Minute, true, true},
		{-time.Hour, 2 * time.Hour, true, false},
		{time.Hour, time.Minute, true, false},
	} {
		now := time.Now()
		then := now.Add(-test.ago)
		before := then
		clocktest.Set(&then, test.set)
		want := func(what string, got time.Time, shifts bool) {
			t.Helper()
			switch {
			case !shifts && got != then:
				t.Errorf("%+v: %s returns %v, want %v", test, what, got, then)
			case shifts && !got.Equal(before.Round(time.Second)):
				t.Errorf("%+v: %s returns %v, want %v", test, what, got, before.Round(time.Second))
			}
		}
		want("On", wallclock.On(now, then), test.shifts)
		want("Start", wallclock.Start(now, then), test.shiftsStart)
	}
	now := time.Now()
	if got := wallclock.On(now, now.Add(-time.Hour).Round(0)); now.Sub(got) != time.Hour {
		t.Errorf("a time without a monotonic reading became %v", got)
	}
}
