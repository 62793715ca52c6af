package main

import (
	"google.golang.org/grpc/health"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/servicer"
)

// measureGrowthNames measures what the number of names costs.
func measureGrowthNames(p measure.Plan) (found findings) {
	g := growth{x: "names", figure: result.Figure{
		Name: "names", Title: "Growth with the number of names",
		Note: "Services that are set one after the other while reports are followed, services of Config, breakers of a group: time for each.",
	}}
	set := g.panel("Setting a new name", "ns", nameVitals, nameGRPC)
	services := g.panel("A service of Config", "ns", nameVitals)
	group := g.panel("A new breaker of a group", "ns", nameVitals)
	memory := g.panel("Memory of a name", "B", nameVitals, nameGRPC)
	each := func(line *result.Line, n int, build func(n int) float64) {
		var sample measure.Sample
		for range 5 {
			sample = append(sample, build(n)/float64(n))
		}
		line.Add(float64(n), p.Figure(sample))
	}
	for _, n := range p.Sizes(100, 1000, 4000, 16_000) {
		each(&set[0], n, setNames)
		each(&set[1], n, setPeerNames)
		each(&services[0], n, func(n int) float64 { return elapsed(func() { newServices(n) }) })
		each(&group[0], n, func(n int) float64 { return elapsed(func() { newGroup(n) }) })
		memory[0].Add(float64(n), namesInMemory(n, ourServer))
		memory[1].Add(float64(n), namesInMemory(n, grpcServer))
		p.Dot()
	}
	found.figures = []result.Figure{g.figure}
	return found
}

// newServices makes a server of n services.
func newServices(n int) *servicer.Server {
	s, err := servicer.New(servicer.Config{Services: serviceNames(n)})
	if err != nil {
		panic(err)
	}
	return s
}

// namesInMemory is the memory of each of n names that are set on a server.
func namesInMemory(n int, build func() statusServer) float64 {
	return held(n, func() any {
		server := build()
		setAll(server, n)
		return server
	})
}

// The two health servers.
func ourServer() statusServer  { return newServicer() }
func grpcServer() statusServer { return health.NewServer() }
