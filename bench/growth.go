package main

import (
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
