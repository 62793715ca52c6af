package result

import (
	"fmt"
	"strings"
)

// A chapter whose machine was busier, or whose figures moved more, is not decided.
const (
	// BusyShare is the share of all processors that other programs may use.
	BusyShare = 0.1
	// MaxNoise is the deviation from 1 that a subject measured twice may have.
	MaxNoise = 0.15
)

// Disturbed says why the machine was too busy to decide the chapter's goals, "" if it was not.
func (c *Chapter) Disturbed() string {
	switch {
	case c.Others > BusyShare:
		return fmt.Sprintf("other programs used %.0f %% of the processors", 100*c.Others)
	case c.Noise > MaxNoise:
		return fmt.Sprintf("the same subject measured twice differed by %.0f %%", 100*c.Noise)
	default:
		return ""
	}
}

// Disturbed lists the chapters that could not be decided and why, "" if there is none.
func (r *Run) Disturbed() string {
	var list []string
	for _, c := range r.Chapters {
		if why := c.Disturbed(); why != "" && len(c.Goals) > 0 {
			list = append(list, c.Name+" ("+why+")")
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "The machine was too busy to judge: " + strings.Join(list, ", ") + "."
}

// verdict is the last column of a goal's row. A count is the same on a busy machine.
func (c *Chapter) verdict(g Goal) string {
	switch {
	case c.Disturbed() != "" && !g.Exact:
		return "busy"
	case !g.Promised():
		return ""
	case g.Met():
		return "yes"
	case !g.Exact && g.Within(1+c.Noise):
		return "no, within noise"
	default:
		return "**no**"
	}
}

// noise is the column of a goal's row that says how much its figure moves.
func (c *Chapter) noise(g Goal) string {
	switch {
	case g.Exact || c.Noise == 0:
		return ""
	case c.Noise > 1:
		return "> 100 %"
	}
	return fmt.Sprintf("± %.1f %%", 100*c.Noise)
}
