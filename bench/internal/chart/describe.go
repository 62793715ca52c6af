package chart

import (
	"fmt"
	"strings"

	"github.com/vitals-go/vitals/bench/internal/result"
)

// describe says in words what a figure shows, for screen readers.
func describe(f result.Figure) string {
	var b strings.Builder
	b.WriteString(f.Note)
	for _, bar := range f.Bars {
		fmt.Fprintf(&b, " %s: %s.", bar.Name, result.Nanoseconds(bar.Value))
	}
	for _, p := range f.Panels {
		fmt.Fprintf(&b, " %s:", p.Title)
		for i, l := range p.Lines {
			if len(l.X) == 0 {
				continue
			}
			last := len(l.X) - 1
			fmt.Fprintf(&b, " %s %s at %s %s, %s at %s%s", l.Name, result.Quantity(l.Y[0], p.Unit), count(l.X[0]), p.X,
				result.Quantity(l.Y[last], p.Unit), count(l.X[last]), map[bool]string{true: ".", false: ";"}[i == len(p.Lines)-1])
		}
	}
	return b.String()
}

// count writes a whole number with its thousands apart.
func count(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
