package result

import "fmt"

// Goal is a ratio that was measured, against the ratio that was promised.
type Goal struct {
	// ID is the goal's number, such as P6. Several ratios may belong to one.
	ID string `json:"id"`
	// What was measured, in words; unique within a run.
	What     string  `json:"what"`
	Measured float64 `json:"measured"`
	// Limit is what Measured may reach at most, or must reach if AtLeast. Nothing is promised if it is 0 and AtLeast.
	Limit   float64 `json:"limit"`
	AtLeast bool    `json:"at_least,omitempty"`
	// Figures are the absolute figures behind the ratio, for people.
	Figures string `json:"figures"`
	// Exact marks counts and sizes, which are the same on a busy machine.
	Exact bool `json:"exact,omitempty"`
}

// Promised reports whether there is a limit: some ratios are only compared.
func (g Goal) Promised() bool { return g.Limit != 0 || !g.AtLeast }

// Met reports whether the goal was reached.
func (g Goal) Met() bool { return g.Within(1) }

// Within reports whether the goal was reached, or missed by no more than the factor margin, which is at least 1.
func (g Goal) Within(margin float64) bool {
	if g.AtLeast {
		return g.Measured*margin >= g.Limit
	}
	return g.Measured <= g.Limit*margin
}

// Promise says what the goal is, such as "≤ 0.3".
func (g Goal) Promise() string {
	switch {
	case !g.Promised():
		return "–"
	case g.AtLeast:
		return fmt.Sprintf("≥ %.4g", g.Limit)
	default:
		return fmt.Sprintf("≤ %.4g", g.Limit)
	}
}
