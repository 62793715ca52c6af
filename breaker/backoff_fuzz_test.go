package breaker

import (
	"math"
	"testing"
	"time"
)

// FuzzOpenTime computes open times of valid configurations.
func FuzzOpenTime(f *testing.F) {
	f.Add(int64(0), int64(0), 0.0, 0, 0.5, int64(time.Minute))
	f.Add(int64(time.Millisecond), int64(math.MaxInt64), 0.999, 1000, 0.999999, int64(math.MaxInt64))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), -1.0, 0, 0.0, int64(1))
	f.Add(int64(time.Second), int64(100*365*24*time.Hour), 0.25, 62, 0.999999999, int64(math.MaxInt64))
	f.Add(int64(time.Second), int64(time.Hour), math.NaN(), 3, 0.1, int64(time.Second))
	f.Fuzz(func(t *testing.T, first, most int64, jitter float64, failed int, random float64, requested int64) {
		cfg := Config{Name: "x", OpenTime: time.Duration(first), MaxOpenTime: time.Duration(most), Jitter: jitter}.withDefaults()
		if cfg.validate() != nil || !(random >= 0 && random < 1) || failed < 0 {
			t.Skip()
		}
		d := cfg.openTime(failed%10_000, random)
		if d <= 0 || d > cfg.MaxOpenTime || float64(d) < float64(cfg.OpenTime)*(1-cfg.Jitter)/(1+cfg.Jitter)-2 {
			t.Errorf("open for %v, configured %v to %v with jitter %v", d, cfg.OpenTime, cfg.MaxOpenTime, cfg.Jitter)
		}
		if requested <= 0 {
			return
		}
		if d := cfg.tripTime(time.Duration(requested), random); d < min(time.Duration(requested), cfg.MaxOpenTime)-time.Microsecond || d > cfg.MaxOpenTime {
			t.Errorf("tripped for %v, requested %v, at most %v", d, time.Duration(requested), cfg.MaxOpenTime)
		}
		b := newBreaker(cfg, nil)
		b.TripFor(time.Duration(requested))
		// A short time is over when we look.
		s := b.Snapshot()
		if wait := time.Until(s.RetryAt); wait > cfg.MaxOpenTime || s.State != Open && min(time.Duration(requested), cfg.MaxOpenTime) > time.Hour {
			t.Errorf("tripped for %v: %v for %v", time.Duration(requested), s.State, wait)
		}
		b.Reset() // stops its timer
	})
}

// The longest duration is how programs express "no limit".
func TestLongestDurationsDoNotOverflow(t *testing.T) {
	t.Parallel()
	b, err := New(Config{Name: "patient", MaxOpenTime: math.MaxInt64, MaxCallTime: math.MaxInt64, Window: math.MaxInt64})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Reset() // stops its timer
	b.TripFor(math.MaxInt64)
	if s := b.Snapshot(); s.State != Open || time.Until(s.RetryAt) < 30*365*24*time.Hour {
		t.Errorf("tripped for ever: %v until %v", s.State, s.RetryAt)
	}
}
