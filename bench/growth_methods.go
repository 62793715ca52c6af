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
	return found
}

func addReport(p measure.Plan, lines []result.Line, n int) {
	recorder := newRecorder(n)
	over(recorder.UnaryServerInterceptor, n)(n)
	health, stop := judged(10, servicer.Config{Recorder: recorder})
	defer stop()
	add(p, lines, n, reports(health, recorder))
}

// methodsInMemory makes n methods in each of the ways of the memory panel.
func methodsInMemory(n int) []func() any {
	called := func(intercept grpc.UnaryServerInterceptor, callers int) {
		var calling sync.WaitGroup
		for range callers {
			calling.Go(func() { over(intercept, n)(n) })
		}
		calling.Wait()
	}
	return []func() any{
		func() any { r := newRecorder(n); called(r.UnaryServerInterceptor, 256); return r },
		func() any { r := newRecorder(n); called(r.UnaryServerInterceptor, 1); return r },
		func() any { return newRecorder(n) },
		func() any { intercept := promInterceptor(); called(intercept, 1); return intercept },
	}
}
