package chart

import (
	"math"

	"github.com/vitals-go/vitals/bench/internal/result"
)

// scale maps quantities to pixels: logarithmic, from low at start to high at end.
type scale struct{ low, high, start, end float64 }

func (s scale) at(v float64) float64 {
	return s.start + (s.end-s.start)*math.Log(v/s.low)/math.Log(s.high/s.low)
}

// decades are the powers of ten from low to high.
func (s scale) decades() (list []float64) {
	for exponent := math.Round(math.Log10(s.low)); exponent <= math.Round(math.Log10(s.high)); exponent++ {
		list = append(list, math.Pow(10, exponent))
	}
	return list
}

// upright spans whole decades around everything that the lines hold, two at least: otherwise noise would look steep.
func upright(lines []result.Line, start, end float64) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, y := range l.Y {
			low, high = min(low, floor(y)), max(high, floor(y))
		}
	}
	low, high = math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	if high-low < 2 {
		high = low + 2
	}
	return scale{math.Pow(10, low), math.Pow(10, high), start, end}
}

// floor keeps what was measured as nothing on the paper.
func floor(y float64) float64 { return max(y, 1) }

// across spans exactly what the lines hold.
func across(lines []result.Line, start, end float64) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, x := range l.X {
			low, high = min(low, x), max(high, x)
		}
	}
	if low == high {
		high = low * 10
	}
	return scale{low, high, start, end}
}

// niceStep is the distance of ticks that cut high into four to eight parts: 1, 2 or 5 times a power of ten.
func niceStep(high float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(high/4)))
	for _, factor := range []float64{5, 2} {
		if high/(step*factor) >= 4 {
			return step * factor
		}
	}
	return step
}
