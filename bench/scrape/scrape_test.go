package main

import (
	"testing"
	"time"
)

// The sanity of the figures: medians over blocks of what lies where.
func TestMedianOfQuantiles(t *testing.T) {
	var b blocks
	for block := range 3 {
		var s sample
		for i := range 100 {
			s = append(s, time.Duration(99-i+block*1000)*time.Microsecond)
		}
		b = append(b, s)
	}
	b = append(b, nil) // a block without any
	for q, want := range map[float64]time.Duration{0: 1000, .5: 1050, .99: 1099, 1: 1099} {
		if got := b.median(q); got != want*time.Microsecond {
			t.Errorf("median of quantiles %v is %v, want %v", q, got, want*time.Microsecond)
		}
	}
	if b.count() != 300 {
		t.Errorf("%d values", b.count())
	}
}

func TestPacedIsTimedFromWhenItWasDue(t *testing.T) {
	took, err := paced(t.Context(), 100, 50*time.Millisecond, func(int) error { return nil })
	if err != nil || len(took) != 5 {
		t.Errorf("%d times, %v", len(took), err)
	}
}
