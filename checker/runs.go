package checker

import (
	"iter"
	"math"
	"slices"
	"sort"
	"time"
)

// Runs counts the results and runs of a check since it was added.
type Runs struct {
	// Abandoned counts runs that ignored their context.
	Abandoned uint64
	// Sum of all durations.
	Sum time.Duration

	byStatus  [Critical + 1]uint64
	durations [len(durationBounds) + 1]uint64
}

// durationBounds are Prometheus' default buckets with 1 ms in front and 30 s behind, in seconds.
var durationBounds = [...]float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// DurationBounds returns the finite upper bounds of Runs.Durations, in seconds. The caller owns the slice.
func DurationBounds() []float64 { return slices.Clone(durationBounds[:]) }

// ByStatus returns how many results led to status. A due time at which an abandoned run is still in flight is a result
// too, but no run.
func (r Runs) ByStatus(status Status) uint64 {
	if int(status) >= len(r.byStatus) {
		return 0
	}
	return r.byStatus[status]
}

// Durations yields the buckets of the histogram of all durations: the upper bound in seconds, of which the last is
// +Inf, and the number of runs above the bound before it.
func (r Runs) Durations() iter.Seq2[float64, uint64] {
	return func(yield func(float64, uint64) bool) {
		for i, n := range r.durations {
			bound := math.Inf(1)
			if i < len(durationBounds) {
				bound = durationBounds[i]
			}
			if !yield(bound, n) {
				return
			}
		}
	}
}

// AddResults counts n results. A Checker does so itself; AddResults and AddRuns are exported for Results made by tests.
func (r *Runs) AddResults(status Status, n uint64) { r.byStatus[status] += n }

// AddRuns counts n runs that took d each.
func (r *Runs) AddRuns(d time.Duration, n uint64) {
	r.Sum += d * time.Duration(n)
	r.durations[sort.SearchFloat64s(durationBounds[:], d.Seconds())] += n
}
