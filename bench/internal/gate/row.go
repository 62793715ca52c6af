package gate

import (
	"fmt"

	"github.com/vitals-go/vitals/bench/internal/result"
)

// State is what is known about a row so far.
type State int

// The states. Undecided rows are measured again.
const (
	Undecided    State = iota // beyond its margin whenever it was measured, but not often enough to be sure
	Met                       // the goal was reached once
	WithinMargin              // the goal was missed, once by no more than the margin
	Behind                    // beyond its margin in every attempt
)

// String returns the text of the first column.
func (s State) String() string {
	return [...]string{"undecided", "met", "within margin", "BEHIND"}[s]
}

// Row is a ratio that has a margin, and all attempts to measure it.
type Row struct {
	// Margin is the factor by which the goal may be missed, at least 1.
	Margin float64
	// Attempts are the measurements, the first one first. There is at least one.
	Attempts []result.Goal
}

// State decides by the best attempt: a disturbance makes a figure worse and hardly ever better, and no figure of a real
// regression is within its margin.
func (r *Row) State() State {
	best := r.Best()
	switch {
	case best.Met():
		return Met
	case best.Within(r.Margin):
		return WithinMargin
	case len(r.Attempts) < Attempts:
		return Undecided
	default:
		return Behind
	}
}

// Best is the best attempt.
func (r *Row) Best() result.Goal {
	best := r.Attempts[0]
	for _, g := range r.Attempts[1:] {
		if g.AtLeast == (g.Measured > best.Measured) {
			best = g
		}
	}
	return best
}

// Edge is the measurement beyond which the row is behind.
func (r *Row) Edge() float64 {
	best := r.Best()
	if best.AtLeast {
		return best.Limit / r.Margin
	}
	return best.Limit * r.Margin
}

// String is the line of the row: state, goal, best attempt, margin.
func (r *Row) String() string {
	best := r.Best()
	beyond := "above"
	if best.AtLeast {
		beyond = "below"
	}
	line := fmt.Sprintf("%-13s  %-4s %-66s goal %-7s measured %-8.3g margin × %-4g behind if %s %.3g",
		r.State(), best.ID, best.What, best.Promise(), best.Measured, r.Margin, beyond, r.Edge())
	if n := len(r.Attempts); n > 1 {
		line += fmt.Sprintf("  (best of %d attempts)", n)
	}
	return line
}
