package gate

import (
	"fmt"

	"github.com/vitals-go/vitals/bench/internal/result"
)

// Verdict is what is known about a row so far.
type Verdict int

// The verdicts. Doubtful rows are measured again.
const (
	Doubtful Verdict = iota // beyond its margin whenever it was measured, but not often enough to be sure
	Passed                  // once within its margin
	Behind                  // beyond its margin in every attempt
)

// String returns what people read.
func (v Verdict) String() string {
	return [...]string{"again", "ok", "BEHIND"}[v]
}

// Row is a ratio that is watched, and all attempts to measure it.
type Row struct {
	// Margin is the factor by which the goal may be missed, at least 1.
	Margin float64
	// Attempts are the measurements, the first one first.
	Attempts []result.Goal
}

// Judge decides after as many attempts as there are, of at most most. The first attempt within the margin decides: a
// disturbance makes a figure worse and hardly ever better, and no figure of a real loss is within.
func (r Row) Judge(most int) Verdict {
	for _, g := range r.Attempts {
		if g.Within(r.Margin) {
			return Passed
		}
	}
	if len(r.Attempts) < most {
		return Doubtful
	}
	return Behind
}

// String is the line for people: the best attempt, the goal, and what would be too much.
func (r Row) String() string {
	if len(r.Attempts) == 0 {
		return "not measured"
	}
	best := r.Attempts[0]
	for _, g := range r.Attempts[1:] {
		if g.AtLeast == (g.Measured > best.Measured) {
			best = g
		}
	}
	edge := best.Limit * r.Margin
	if best.AtLeast {
		edge = best.Limit / r.Margin
	}
	return fmt.Sprintf("%-4s %-62s %8.3g  goal %-8s fails beyond %.3g", best.ID, best.What, best.Measured, best.Promise(), edge)
}
