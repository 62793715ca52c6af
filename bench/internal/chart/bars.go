package chart

import (
	"strings"

	"github.com/vitals-go/vitals/bench/internal/result"
)

const (
	barNames  = 330.0 // where names end and bars begin
	barValues = 70.0  // room for a value behind the longest bar
	barHeight = 20.0
	barStep   = 32.0
)

// bars draws quantities as bars that begin at zero.
func bars(f result.Figure, made result.Made) string {
	var s svg
	top := s.head(f) + 8
	high := 0.0
	for _, b := range f.Bars {
		high = max(high, b.Value)
	}
	pixels := (width - margin - barNames - barValues) / high
	bottom := top + barStep*float64(len(f.Bars))
	for v, step := 0.0, niceStep(high); v <= high; v += step {
		x := barNames + v*pixels
		s.segment(x, top, x, bottom, "grid")
		s.text(x, bottom+18, "soft small", "middle", result.Nanoseconds(v))
	}
	for i, b := range f.Bars {
		y := top + barStep*float64(i) + (barStep-barHeight)/2
		class := "bar other"
		if strings.HasPrefix(b.Name, ours) {
			class = "bar c0"
		}
		s.text(barNames-10, y+15, "", "end", b.Name)
		s.rect(barNames, y, max(b.Value*pixels, 1), barHeight, class)
		s.text(barNames+b.Value*pixels+8, y+15, "head", "", result.Nanoseconds(b.Value))
	}
	s.segment(barNames, top, barNames, bottom, "axis")
	return s.finish(f, made, bottom+42)
}
