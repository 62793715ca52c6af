package chart

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/bench/internal/result"
)

const (
	columns     = 2
	gap         = 24.0
	panelHeight = 250.0
	labelsLeft  = 58.0 // room for the upright axis
	labelsRight = 58.0 // room for the last figures
)

// panels draws lines, two panels side by side.
func panels(f result.Figure, made result.Made) string {
	var s svg
	top := s.head(f)
	list := pens(f)
	if len(list) > 1 {
		top = legend(&s, list, top)
	}
	across := (width - 2*margin - gap*(columns-1)) / columns
	for i, p := range f.Panels {
		x := margin + float64(i%columns)*(across+gap)
		y := top + float64(i/columns)*panelHeight
		box{x + labelsLeft, y + 34, x + across - labelsRight, y + panelHeight - 46}.draw(&s, p, list)
		s.text(x, y+18, "head", "", p.Title)
	}
	rows := (len(f.Panels) + columns - 1) / columns
	return s.finish(f, made, top+float64(rows)*panelHeight+4)
}

// box is where the lines of a panel are.
type box struct{ left, top, right, bottom float64 }

func (b box) draw(s *svg, p result.Panel, list []pen) {
	xs, ys := across(p.Lines, b.left, b.right), upright(p.Lines, b.bottom, b.top)
	b.axes(s, p, xs, ys)
	var ends []label
	for _, l := range p.Lines {
		if len(l.X) == 0 {
			continue
		}
		pen, _ := find(list, l.Name)
		var path strings.Builder
		for i := range l.X {
			fmt.Fprintf(&path, "%c%s %s", "ML"[min(i, 1)], num(xs.at(l.X[i])), num(ys.at(floor(l.Y[i]))))
		}
		s.printf("<path d=%q class=%q/>\n", path.String(), "line "+pen.class+pen.stroke)
		for i := range l.X {
			pen.point(s, xs.at(l.X[i]), ys.at(floor(l.Y[i])))
		}
		ends = append(ends, label{ys.at(floor(l.Last())), pen.class, result.Quantity(l.Last(), p.Unit)})
	}
	for _, e := range apart(ends) {
		s.text(b.right+9, e.y+4, "small "+e.class, "", e.words)
	}
}

func (b box) axes(s *svg, p result.Panel, xs, ys scale) {
	decades := ys.decades()
	every := (len(decades) + 5) / 6 // names fit for six decades
	for i, v := range decades {
		s.segment(b.left, ys.at(v), b.right, ys.at(v), "grid")
		if i%every == 0 {
			s.text(b.left-8, ys.at(v)+4, "soft small", "end", tick(v, p.Unit))
		}
	}
	s.segment(b.left, b.bottom, b.right, b.bottom, "axis")
	last := -100.0
	for _, x := range ticks(p.Lines) {
		s.segment(xs.at(x), b.bottom, xs.at(x), b.bottom+4, "axis")
		if xs.at(x)-last > 34 {
			s.text(xs.at(x), b.bottom+18, "soft small", "middle", count(x))
			last = xs.at(x)
		}
	}
	s.text((b.left+b.right)/2, b.bottom+34, "soft small", "middle", p.X+" (both axes logarithmic)")
}

// tick names a power of ten on the upright axis. Bytes stay powers of ten there.
func tick(v float64, unit string) string {
	if unit != "B" {
		return result.Quantity(v, unit)
	}
	for _, u := range []string{"B", "kB", "MB", "GB"} {
		if v < 1000 {
			return fmt.Sprintf("%.0f %s", v, u)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.0f TB", v)
}

// ticks are the places where something was measured.
func ticks(lines []result.Line) (list []float64) {
	for _, l := range lines {
		list = append(list, l.X...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// label is a figure at the end of a line.
type label struct {
	y            float64
	class, words string
}

// apart moves labels until none lies on another, in the order of their lines.
func apart(labels []label) []label {
	const room = 13
	slices.SortStableFunc(labels, func(a, b label) int { return int(a.y - b.y) })
	for range 20 { // each pass spreads a knot by one label
		for i := 1; i < len(labels); i++ {
			if overlap := room - (labels[i].y - labels[i-1].y); overlap > 0 {
				labels[i-1].y -= overlap / 2
				labels[i].y += overlap / 2
			}
		}
	}
	return labels
}
