package gate

import (
	"fmt"
	"io"

	"github.com/vitals-go/vitals/bench/internal/result"
)

// Attempts is how often a row must be beyond its margin to be behind.
const Attempts = 4

// Watch measures until every row that has a margin is decided, and reports whether none is behind. Attempt counts from
// 0: later ones should look more closely. Rows that measure returns without a margin are left out.
func Watch(w io.Writer, margins map[string]float64, measure func(attempt int) []result.Goal) bool {
	var order []string
	rows := map[string]*Row{}
	for attempt := range Attempts {
		again := false
		for _, g := range measure(attempt) {
			margin, watched := margins[g.What]
			if !watched {
				continue
			}
			if rows[g.What] == nil {
				rows[g.What] = &Row{Margin: margin}
				order = append(order, g.What)
			}
			rows[g.What].Attempts = append(rows[g.What].Attempts, g)
			again = again || rows[g.What].Judge(Attempts) == Doubtful
		}
		if !again {
			break
		}
	}
	good := true
	for _, what := range order {
		row := rows[what]
		verdict := row.Judge(Attempts)
		good = good && verdict == Passed
		fmt.Fprintf(w, "%-6s %s%s\n", verdict, row, times(len(row.Attempts)))
	}
	return good
}

// times says so if a row needed more than one attempt.
func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("  (%d attempts)", n)
}
