package gate

import "github.com/vitals-go/vitals/bench/internal/result"

// Attempts is how often a row must be beyond its margin to be behind.
const Attempts = 4

// Measure measures until every row that has a margin is decided, and returns these rows. Attempt counts from 0: later ones
// should take longer. Rows that measure returns without a margin are left out.
func Measure(margins map[string]float64, measure func(attempt int) []result.Goal) (rows []*Row) {
	known := map[string]*Row{}
	for attempt := range Attempts {
		again := false
		for _, g := range measure(attempt) {
			margin, gated := margins[g.What]
			if !gated {
				continue
			}
			row := known[g.What]
			if row == nil {
				row = &Row{Margin: margin}
				known[g.What], rows = row, append(rows, row)
			}
			row.Attempts = append(row.Attempts, g)
			again = again || row.State() == Undecided
		}
		if !again {
			break
		}
	}
	return rows
}
