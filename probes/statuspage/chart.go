package statuspage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// spark is a row of bars, one per run of a check, as SVG paths in a box of sparkWidth × sparkHeight.
type spark struct {
	// Paths has one path for all bars of a status, which keeps a page of hundreds of checks small.
	Paths map[checker.Status]string
	// Label is the text for screen readers.
	Label string
}

const (
	sparkStep   = 4
	sparkWidth  = runsKept * sparkStep
	sparkHeight = 24
)

// sparkOf draws runs, the newest at the right. A bar's height is the duration or, if measured, the value relative to the
// greatest one or the limit.
func sparkOf(runs []run, measured bool, limit float64) spark {
	paths, counts := make(map[checker.Status]string), make(map[checker.Status]int)
	longest := 0.0
	if measured {
		longest = limit
	}
	for _, r := range runs {
		longest = max(longest, size(r, measured))
	}
	left := sparkWidth - len(runs)*sparkStep
	for i, r := range runs {
		height := 3
		if longest > 0 {
			height += int(size(r, measured) / longest * (sparkHeight - 3))
		}
		counts[r.status]++
		paths[r.status] += fmt.Sprintf("M%d %dv-%dh3v%dz", left+i*sparkStep, sparkHeight, height, height)
	}
	return spark{Paths: paths, Label: sparkLabel(counts, len(runs))}
}

func size(r run, measured bool) float64 {
	if measured {
		return max(r.value, 0)
	}
	return r.duration.Seconds()
}

func sparkLabel(counts map[checker.Status]int, total int) string {
	if total == 0 {
		return "no runs yet"
	}
	var parts []string
	for _, status := range []checker.Status{checker.Healthy, checker.Warning, checker.Critical, checker.Unknown} {
		if counts[status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[status], status))
		}
	}
	return fmt.Sprintf("last %d runs: %s", total, strings.Join(parts, ", "))
}

// chart is a curve over the last minutes, as SVG paths in a box of chartWidth × chartHeight.
type chart struct {
	Title, Now, Note string
	// Note has the greatest value, if that is not the newest one.
	// Line and Area are the curve and what is below it; Second is another curve in the same scale, or empty.
	Line, Area, Second string
	Alarm              bool
}

const (
	chartWidth  = 240
	chartHeight = 56
)

// curve returns a line that ends at the right edge, "" for less than two values.
func curve(values []float64, top float64) string {
	if len(values) < 2 {
		return ""
	}
	var b strings.Builder
	const step = float64(chartWidth) / (pointsKept - 1)
	for i, v := range values {
		x, y := chartWidth-step*float64(len(values)-1-i), chartHeight-2-min(v/top, 1)*(chartHeight-4)
		fmt.Fprintf(&b, "%c%.1f %.1f", "ML"[min(i, 1)], x, y)
	}
	return b.String()
}

// charts draws the request statistics.
func charts(points []point) []chart {
	if len(points) == 0 {
		return nil
	}
	perSecond := func(v float64) string { return decimal(v) + " / s" }
	percent := func(v float64) string { return decimal(v) + " %" }
	duration := func(v float64) string { return brief(time.Duration(v)) }
	p50, p99 := func(p point) float64 { return float64(p.p50) }, func(p point) float64 { return float64(p.p99) }
	newest := points[len(points)-1]
	requests := newChart("Requests", perSecond, 1, points, func(p point) float64 { return p.rate }, nil)
	failed := newChart("Failed", percent, 5, points, func(p point) float64 { return p.failures }, nil)
	failed.Alarm = newest.failures > 0
	latency := newChart("Response time", duration, float64(time.Millisecond), points, p50, p99)
	latency.Note = strings.TrimSuffix("p99 "+brief(newest.p99)+", "+latency.Note, ", ")
	return []chart{requests, failed, latency}
}

// newChart draws one value of points or, if second is not nil, two, in a scale up to the greatest one, but at least to least.
func newChart(title string, format func(float64) string, least float64, points []point, first, second func(point) float64) chart {
	var firsts, seconds []float64
	for _, p := range points {
		firsts = append(firsts, first(p))
		if second != nil {
			seconds = append(seconds, second(p))
		}
	}
	peak := slices.Max(slices.Concat(firsts, seconds))
	top := max(least, peak)
	c := chart{
		Title: title, Now: format(last(firsts)),
		Line: curve(firsts, top), Second: curve(seconds, top),
	}
	if now := max(last(firsts), last(seconds)); format(peak) != format(now) {
		c.Note = "peak " + format(peak)
	}
	if c.Line != "" {
		left, _, _ := strings.Cut(c.Line[1:], " ")
		c.Area = c.Line + fmt.Sprintf("L%d %dL%s %dZ", chartWidth, chartHeight, left, chartHeight)
	}
	return c
}

func last(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[len(values)-1]
}
