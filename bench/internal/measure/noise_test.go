package measure_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/bench/internal/measure"
)

func TestNoiseIsTheDifferenceBetweenEvenAndOddRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noise := new(measure.Noise)
		p := measure.Plan{Rounds: 8, Turn: time.Millisecond, Figure: measure.Sample.Median, Noise: noise}
		measure.Interleave(p, 1, 1, costs(time.Microsecond))
		if got := noise.Largest(); got != 0 {
			t.Errorf("a steady subject has a noise of %v, want 0", got)
		}
		calls := 0
		measure.Interleave(p, 1, 1, func(n int) {
			each := 1000 * time.Nanosecond
			if calls++; calls%2 == 0 {
				each = 1100 * time.Nanosecond
			}
			costs(each)(n)
		})
		if got := noise.Largest(); math.Abs(got-0.1) > 0.001 {
			t.Errorf("every second round takes a tenth longer: noise is %v, want 0.1", got)
		}
	})
}
