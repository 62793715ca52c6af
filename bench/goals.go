package main

import (
	"fmt"

	"github.com/vitals-go/vitals/bench/internal/result"
)

// atMost is a goal for ours/theirs, both in nanoseconds, that is met up to limit.
func atMost(limit float64, id, what string, ours, theirs float64) result.Goal {
	return result.Goal{ID: id, What: what, Measured: ours / theirs, Limit: limit, Figures: fraction(ours, theirs)}
}

// compared is a ratio of two durations in nanoseconds without a goal.
func compared(id, what string, above, below float64) result.Goal {
	return result.Goal{ID: id, What: what, Measured: above / below, AtLeast: true, Figures: fraction(above, below)}
}

// atLeast is a goal for theirs/ours, both in nanoseconds, that is met from limit on. Nothing is promised if it is 0.
func atLeast(limit float64, id, what string, theirs, ours float64) result.Goal {
	return result.Goal{ID: id, What: what, Measured: theirs / ours, Limit: limit, AtLeast: true, Figures: fraction(theirs, ours)}
}

// allocations is a goal for a number of allocations.
func allocations(limit float64, id, what string, count float64) result.Goal {
	return result.Goal{ID: id, What: what, Measured: count, Limit: limit, Figures: fmt.Sprint(count), Exact: true}
}

func fraction(above, below float64) string {
	return result.Nanoseconds(above) + " / " + result.Nanoseconds(below)
}
