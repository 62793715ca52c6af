package main

import (
	"sync"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/servicer"
)

// measureGrowthMethods measures what the number of methods costs.
func measureGrowthMethods(p measure.Plan) (found findings) {
	p = p.Times(0.25)
	g := growth{x: "methods", figure: result.Figure{
		Name: "methods", Title: "Growth with the number of methods",
		Note: "One core. Every method has been called; the calls of the first panel go to all of them in turn.",
	}}
	record := g.panel("Recording a call", "ns", nameVitals, namePrometheus)
	gather := g.panel("Gathering for a scrape", "ns", nameVitals, nameVecs)
	report := g.panel("A fresh snapshot and a report", "ns", nameVitals)
	memory := g.panel("Memory of a method", "B", "vitals, called by many goroutines", "vitals, called by one", "vitals, never called", namePrometheus)
	for _, n := range p.Sizes(10, 100, 1000, 10_000) {
		add(p, record, n, over(newRecorder(n).UnaryServerInterceptor, n), over(promInterceptor(), n))
		ours, theirs := gatherings(n)
		add(p, gather, n, ours, theirs)
		addReport(p, report, n)
		for i, build := range methodsInMemory(n) {
			memory[i].Add(float64(n), held(n, build))
		}
		p.Dot()
	}
	found.figures = []result.Figure{g.figure}
	found.goals = []result.Goal{
		grows("growth of calls with methods", record[0], 10, 1),
		grows("growth of gathering with methods", gather[0], 100, 0),
		grows("growth of snapshot and report with methods", report[0], 100, 0),
		grows("growth of memory with methods", memory[0], 100, 1),
	}
	return found
}

func addReport(p measure.Plan, lines []result.Line, n int) {
	recorder := called(n)
	health, stop := evaluated(10, servicer.Config{Recorder: recorder})
	defer stop()
	add(p, lines, n, reports(health, recorder))
}

// methodsInMemory makes n methods in each of the ways of the memory panel.
func methodsInMemory(n int) []func() any {
	callAll := func(intercept grpc.UnaryServerInterceptor, callers int) {
		var calling sync.WaitGroup
		for range callers {
			calling.Go(func() { over(intercept, n)(n) })
		}
		calling.Wait()
	}
	return []func() any{
		func() any { r := newRecorder(n); callAll(r.UnaryServerInterceptor, 256); return r },
		func() any { r := newRecorder(n); callAll(r.UnaryServerInterceptor, 1); return r },
		func() any { return newRecorder(n) },
		func() any { intercept := promInterceptor(); callAll(intercept, 1); return intercept },
	}
}
