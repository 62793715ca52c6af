package main

import (
	"google.golang.org/grpc/health"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measureGrowthCallers measures what it costs that many goroutines do the same at once.
func measureGrowthCallers(p measure.Plan) (found findings) {
	p = p.Times(0.25)
	g := growth{x: "goroutines", figure: result.Figure{
		Name: "callers", Title: "Growth with the number of callers",
		Note: "Goroutines that do nothing else, on two cores: wall time for each operation. Less than at one means that the second core helps.",
	}}
	panels := []struct {
		lines    []result.Line
		subjects []measure.Subject
	}{
		{
			g.panel("Recording a call", "ns", nameVitals, namePrometheus),
			[]measure.Subject{unarySubject(newRecorder(1).UnaryServerInterceptor, nil), unarySubject(promInterceptor(), nil)},
		},
		{
			g.panel("A health Check", "ns", nameVitals, nameGRPC),
			[]measure.Subject{checks(newServicer()), checks(health.NewServer())},
		},
		{
			g.panel("A call through a closed breaker", "ns", nameVitals, nameGobreaker),
			[]measure.Subject{ourBreaker(false), rollingGobreaker(false)},
		},
	}
	for _, n := range p.Sizes(1, 4, 16, 64, 256, 1024, 4096) {
		for _, panel := range panels {
			for i, best := range twoCores(p, n, panel.subjects...) {
				panel.lines[i].Add(float64(n), best)
			}
		}
	}
	found.figures = []result.Figure{g.figure}
	return found
}
