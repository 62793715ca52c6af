package chart

import (
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/bench/internal/result"
)

// ours is how names of our own subjects begin.
const ours = "vitals"

// pen is how a subject is drawn: by colour and by the shape of its points, so that neither is needed alone. Our own
// share a colour, and differ by their strokes.
type pen struct {
	name, class, stroke string
	shape               int
}

// pens gives every name of a figure one pen, which it has in all panels.
func pens(f result.Figure) (list []pen) {
	strokes := []string{"", " dash", " dots", " both"}
	own, others := 0, 0
	for _, p := range f.Panels {
		for _, l := range p.Lines {
			if _, found := find(list, l.Name); found {
				continue
			}
			if strings.HasPrefix(l.Name, ours) {
				list = append(list, pen{l.Name, "c0", strokes[own%len(strokes)], 0})
				own++
				continue
			}
			others++
			list = append(list, pen{l.Name, "c" + strconv.Itoa(1+(others-1)%3), "", others % 4})
		}
	}
	return list
}

func find(list []pen, name string) (pen, bool) {
	for _, p := range list {
		if p.name == name {
			return p, true
		}
	}
	return pen{}, false
}

// point draws a point in the pen's shape: circle, square, triangle or diamond.
func (p pen) point(s *svg, x, y float64) {
	switch p.shape {
	case 0:
		s.printf("<circle cx=%q cy=%q r=\"3.5\" class=%q/>\n", num(x), num(y), p.class)
	case 1:
		s.printf("<rect x=%q y=%q width=\"6\" height=\"6\" class=%q/>\n", num(x-3), num(y-3), p.class)
	case 2:
		s.printf("<path d=\"M%s %sl4 7h-8z\" class=%q/>\n", num(x), num(y-4), p.class)
	default:
		s.printf("<path d=\"M%s %sl4 4l-4 4l-4-4z\" class=%q/>\n", num(x), num(y-4), p.class)
	}
}

// legend names the pens from y on, and returns where the rest may begin.
func legend(s *svg, list []pen, y float64) float64 {
	x := margin
	y += 10
	for _, p := range list {
		room := 44 + 7.2*float64(len([]rune(p.name)))
		if x+room > width-margin && x > margin {
			x, y = margin, y+22
		}
		s.segment(x, y-4, x+28, y-4, "line "+p.class+p.stroke)
		p.point(s, x+14, y-4)
		s.text(x+34, y, "", "", p.name)
		x += room + 10
	}
	return y + 14
}
