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

// The intervals of the median that tables of the sign test give.
func TestChangeHoldsTheMedian(t *testing.T) {
	for n, want := range map[int]int{1: 0, 5: 0, 6: 0, 8: 0, 9: 1, 20: 5, 40: 13, 100: 39} {
		if got := tossed(n); got != want {
			t.Errorf("of %d values the interval leaves out %d on each side, want %d", n, got, want)
		}
	}
	var with, without sample
	for i := range 20 {
		without = append(without, time.Duration(100+i)*time.Millisecond)
		with = append(with, without[i]+time.Duration(i-4)*time.Millisecond)
	}
	if got, want := changeOf(with, without).String(), "+6ms (+1ms to +10ms)"; got != want {
		t.Errorf("changed by %s, want %s", got, want)
	}
	if got := (sample{1, 4, 2, 2, 9}).noise(); got != 3 {
		t.Errorf("noise of %d, want 3", got)
	}
}
