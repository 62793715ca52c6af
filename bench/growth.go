package main

import (
	"fmt"
	"runtime"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// The same names, and so the same colours, wherever subjects are drawn.
const (
	nameVitals     = "vitals"
	namePrometheus = "go-grpc-middleware Prometheus"
	nameVecs       = "client_golang Vecs"
	nameGRPC       = "grpc-go health"
	nameAlex       = "alexliesenfeld/health"
	nameHello      = "hellofresh/health-go"
	nameGobreaker  = "gobreaker v2, rolling window"
)

// growth is a figure in the making: panels that share what things grow with.
type growth struct {
	figure result.Figure
	x      string
}

// panel adds a panel and returns its lines, named in that order.
func (g *growth) panel(title, unit string, names ...string) []result.Line {
	lines := make([]result.Line, len(names))
	for i, name := range names {
		lines[i].Name = name
	}
	g.figure.Panels = append(g.figure.Panels, result.Panel{Title: title, X: g.x, Unit: unit, Lines: lines})
	return lines
}

// add measures one subject for each line, in turns, on one core.
func add(p measure.Plan, lines []result.Line, size int, subjects ...measure.Subject) {
	for i, sample := range measure.Interleave(p, 1, 1, subjects...) {
		lines[i].Add(float64(size), p.Figure(sample))
	}
}

// held is the memory that what build returns holds, for each of n. Small things are built several times, because memory
// comes in pages.
func held(n int, build func() any) float64 {
	kept := make([]any, max(1, 1000/n))
	before := measure.Memory()
	for i := range kept {
		kept[i] = build()
	}
	after := measure.Memory()
	all := n * len(kept)
	runtime.KeepAlive(kept)
	return max(after-before, 0) / float64(all)
}

// grows is a goal for the exponent of a line from size on, where 1 is linear. Figures that are per item have extra 1.
func grows(what string, line result.Line, from, extra float64) result.Goal {
	first := 0
	for first < len(line.X)-2 && line.X[first] < from {
		first++
	}
	last := len(line.X) - 1
	goal := power("growth", what, extra+exponent(line.Y[first], line.Y[last], line.X[last]/line.X[first]))
	goal.Figures = fmt.Sprintf("exponent, %.0f to %.0f", line.X[first], line.X[last])
	return goal
}

// growsLike is the exponent of a line without a goal, beside that of theirs.
func growsLike(what string, line, theirs result.Line, from float64) result.Goal {
	goal, peer := grows(what, line, from, 0), grows(what, theirs, from, 0)
	goal.Limit, goal.AtLeast = 0, true
	goal.Figures += fmt.Sprintf(" (grpc-go: %.3g)", peer.Measured)
	return goal
}
