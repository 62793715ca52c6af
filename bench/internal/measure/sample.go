package measure

import "slices"

// Sample holds the figures of one subject, one for each round.
type Sample []float64

// Median is the middle figure, the mean of the middle two if their number is even. It panics if s is empty.
func (s Sample) Median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Best is the smallest figure: what the subject costs when nothing is in its way. It panics if s is empty.
func (s Sample) Best() float64 { return slices.Min(s) }

// Quantile is the smallest figure that a share q of all figures does not exceed. It panics if s is empty.
func (s Sample) Quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
