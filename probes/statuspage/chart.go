package statuspage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// spark is a row of bars, one per run of a check, as SVG paths in a box of sparkWidth × sparkHeight. Bars of one status share
// a path, which keeps a page of hundreds of checks small.
type spark struct {
	Healthy, Warning, Critical, Unknown string
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
	var paths [4]strings.Builder
	var counts [4]int
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
		status := min(r.status, checker.Critical)
		counts[status]++
		fmt.Fprintf(&paths[status], "M%d %dv-%dh3v%dz", left+i*sparkStep, sparkHeight, height, height)
	}
	return spark{
		Unknown: paths[checker.Unknown].String(), Healthy: paths[checker.Healthy].String(),
		Warning: paths[checker.Warning].String(), Critical: paths[checker.Critical].String(),
		Label: sparkLabel(counts, len(runs)),
	}
}

func size(r run, measured bool) float64 {
	if measured {
		return max(r.value, 0)
	}
	return r.duration.Seconds()
}

func sparkLabel(counts [4]int, total int) string {
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
	// Line and Area are the curve and what is below it; Second is another curve in the same scale, or empty.
	Line, Area, Second string
	Top                string
	Label              string
	Alarm              bool
}

const (
	chartWidth  = 240
	chartHeight = 56
)

// curve returns a line that ends at the right edge, "" for less than two values.
func curve(values []float64, top float64) string {
	if len(values) < 2 || top <= 0 {
		return ""
	}
	var b strings.Builder
	step := float64(chartWidth) / float64(pointsKept-1)
	left := chartWidth - step*float64(len(values)-1)
	for i, v := range values {
		verb := byte('L')
		if i == 0 {
			verb = 'M'
		}
		b.WriteByte(verb)
		b.WriteString(strconv.FormatFloat(left+step*float64(i), 'f', 1, 64))
		b.WriteByte(' ')
		b.WriteString(strconv.FormatFloat(chartHeight-2-min(v/top, 1)*(chartHeight-4), 'f', 1, 64))
	}
	return b.String()
}

// charts draws the request statistics.
func charts(points []point) []chart {
	if len(points) == 0 {
		return nil
	}
	last := points[len(points)-1]
	rates, failures := each(points, func(p point) float64 { return p.rate }), each(points, func(p point) float64 { return p.failures })
	p50, p99 := each(points, func(p point) float64 { return p.p50.Seconds() }), each(points, func(p point) float64 { return p.p99.Seconds() })
	rate := newChart("Requests", decimal(last.rate)+" / s", rates, nil, 1)
	rate.Top = decimal(top(rates, 1)) + " / s"
	failed := newChart("Failed", decimal(last.failures)+" %", failures, nil, 5)
	failed.Top, failed.Alarm = decimal(top(failures, 5))+" %", last.failures > 0
	latency := newChart("Response time", brief(last.p50), p50, p99, 0.001)
	latency.Note = "p99 " + brief(last.p99)
	latency.Top = brief(time.Duration(top(slices.Concat(p50, p99), 0.001) * float64(time.Second)))
	return []chart{rate, failed, latency}
}

func newChart(title, now string, first, second []float64, least float64) chart {
	scale := top(slices.Concat(first, second), least)
	c := chart{Title: title, Now: now, Line: curve(first, scale), Second: curve(second, scale), Label: title + ": " + now}
	if c.Line != "" {
		left, _, _ := strings.Cut(c.Line[1:], " ")
		c.Area = c.Line + fmt.Sprintf("L%d %dL%s %dZ", chartWidth, chartHeight, left, chartHeight)
	}
	return c
}

func each(points []point, value func(point) float64) []float64 {
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = value(p)
	}
	return values
}

func top(values []float64, least float64) float64 { return max(least, slices.Max(values)) }
