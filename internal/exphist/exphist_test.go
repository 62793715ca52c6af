package exphist

import (
	"math"
	"testing"
	"time"
)

func TestIndexHoldsTheGeometricMiddle(t *testing.T) {
	bounds := []time.Duration{100, 115, time.Second, time.Second + time.Second/8, 2 * time.Second, math.MaxInt64}
	last := math.MinInt
	for i, seconds := range []float64{100e-9, math.Sqrt(100 * 115 * 1e-18), math.Sqrt(115e-9), math.Sqrt(1.125), 1.5, 2.000001} {
		n := Index(i, func(i int) time.Duration { return bounds[i] })
		if upper := math.Exp2(float64(n) / 8); seconds > upper || seconds <= upper/math.Exp2(1./8) {
			t.Errorf("bucket %d: got index %d up to %v s, want the one of %v s", i, n, upper, seconds)
		}
		if n < last {
			t.Errorf("bucket %d: got index %d after %d, want ascending order", i, n, last)
		}
		last = n
	}
}
