package measure_test

import (
	"testing"

	"github.com/vitals-go/vitals/bench/internal/measure"
)

func TestSample(t *testing.T) {
	for _, test := range []struct {
		name                 string
		sample               measure.Sample
		median, best, nearly float64
	}{
		{"one figure", measure.Sample{7}, 7, 7, 7},
		{"an odd number, unsorted", measure.Sample{9, 1, 5}, 5, 1, 9},
		{"an even number", measure.Sample{4, 1, 3, 2}, 2.5, 1, 4},
		{"one disturbance moves neither median nor best", measure.Sample{2, 2, 2, 2, 1000}, 2, 2, 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.sample.Median(); got != test.median {
				t.Errorf("median is %v, want %v", got, test.median)
			}
			if got := test.sample.Best(); got != test.best {
				t.Errorf("best is %v, want %v", got, test.best)
			}
			if got := test.sample.Quantile(0.99); got != test.nearly {
				t.Errorf("99th percentile is %v, want %v", got, test.nearly)
			}
		})
	}
}

func TestSampleStaysAsItIs(t *testing.T) {
	s := measure.Sample{3, 1, 2}
	s.Median()
	s.Quantile(0.5)
	if s[0] != 3 || s[1] != 1 || s[2] != 2 {
		t.Errorf("the rounds are no longer in their order: %v", s)
	}
}

func TestQuantile(t *testing.T) {
	s := make(measure.Sample, 1000)
	for i := range s {
		s[i] = float64(len(s) - i) // 1000 … 1
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 501, 0.99: 991, 0.999: 1000, 1: 1000} {
		if got := s.Quantile(q); got != want {
			t.Errorf("the %v quantile is %v, want %v", q, got, want)
		}
	}
}
