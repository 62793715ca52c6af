package main

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measureServerCalls measures what each way to record calls adds to a call of a real server.
func measureServerCalls(p measure.Plan) (found findings) {
	echoes := compareEchoes(p, serverWays())
	recorder, nothing, total := echoes.cost[nameRecorder], echoes.cost[nameNothing], echoes.total
	whole := echoes.cost[nameWhole]
	found.goals = []result.Goal{
		{
			ID: "P2", What: "percent of a unary echo, beyond an interceptor that does nothing", Measured: 100 * max(recorder-nothing, 0) / total, Limit: 1,
			Figures: result.Nanoseconds(recorder) + " − " + result.Nanoseconds(nothing) + " of " + result.Nanoseconds(total),
		},
		atLeast(20, "P2", "cheaper than otelgrpc metrics, end to end", echoes.cost[nameOtel], recorder),
		atLeast(4, "P2", "cheaper than the Prometheus interceptor, end to end", echoes.cost[namePrometheus], recorder),
		compared("P2", "ServerOptions, cheaper than the Prometheus interceptor and recovery, end to end", echoes.cost[nameStack], whole),
		compared("P2", "ServerOptions, cheaper than grpc-go's stats/opentelemetry, end to end", echoes.cost[nameA66], whole),
		compared("P2", "ServerOptions, cheaper than otelgrpc metrics, end to end", echoes.cost[nameOtel], whole),
		atMost(1.4, "P11", "ServerOptions, end to end, against two clock readings, three additions and recover", whole, echoes.cost[nameFloor]),
	}
	found.figures = []result.Figure{echoes.figure("interceptor", "What recording a call adds to it", "Processor time that each adds to a unary echo of 64 bytes over an in-memory connection, client and server on one core. Prometheus with histogram, OpenTelemetry with metrics alone.")}
	found.facts = map[string]float64{"echo_ns": total}
	return found
}

// measureClientCalls measures what each way to record and protect calls adds to a call of a real client.
func measureClientCalls(p measure.Plan) (found findings) {
	echoes := compareEchoes(p, clientWays())
	vitals, gobreaker := echoes.cost[nameVitals], echoes.cost[nameGobreaker]
	found.goals = []result.Goal{
		atMost(1.3, "P12", "client recorder and breaker, end to end, against gobreaker by hand alone", vitals, gobreaker),
		atLeast(0, "P12", "cheaper than the Prometheus interceptor and gobreaker by hand, end to end", echoes.cost[namePrometheus], vitals),
	}
	return found
}

// measureCallAllocations counts what the server's and the client's side add to a call.
func measureCallAllocations(p measure.Plan) (found findings) {
	count := func(o options) float64 {
		call, closeAll := echoCall(o)
		defer closeAll()
		for range 1100 { // A breaker reads trailers until 1,000 calls have succeeded.
			call()
		}
		return testing.AllocsPerRun(100, call)
	}
	plain, of := count(options{}), func(ways []way, name string) float64 {
		i := slices.IndexFunc(ways, func(w way) bool { return w.name == name })
		return count(ways[i].options)
	}
	found.goals = []result.Goal{
		allocations(2, "P11", "allocations that ServerOptions adds to a unary call", of(serverWays(), nameWhole)-plain),
		allocations(1, "P12", "allocations that client recorder and breaker add to a unary call", of(clientWays(), nameVitals)-plain),
	}
	p.Dot()
	return found
}

// way is one way to record or protect calls.
type way struct {
	name string
	options
}

// echoes are unary echoes in all ways.
type echoes struct {
	ways []way
	// cost is what each way adds to an echo, in nanoseconds of processor time.
	cost map[string]float64
	// total is an echo that nothing is added to, in nanoseconds.
	total float64
}

func compareEchoes(p measure.Plan, ways []way) echoes {
	plain, closeAll := echoCall(options{})
	defer closeAll()
	calls := make([]func(), len(ways))
	for i, way := range ways {
		var closeAll func()
		calls[i], closeAll = echoCall(way.options)
		defer closeAll()
	}
	// A difference this small takes many pairs; few of them only show that the comparison runs.
	added, totals := measure.Paired(p, measure.CPU, len(ways)*p.Rounds*p.Rounds, plain, calls...)
	e := echoes{ways: ways, cost: map[string]float64{}, total: totals.Median()}
	for i, way := range ways {
		e.cost[way.name] = max(added[i].Median(), 1)
	}
	return e
}

// figure returns bars of what each way adds.
func (e echoes) figure(name, title, note string) result.Figure {
	f := result.Figure{Name: name, Title: title, Note: note}
	for _, way := range e.ways {
		f.Bars = append(f.Bars, result.Bar{Name: way.name, Value: e.cost[way.name]})
	}
	return f
}

type echo struct {
	testpb.UnimplementedTestServiceServer
}

func (echo) UnaryCall(_ context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: in.GetPayload()}, nil
}

// echoCall returns a call of 64 bytes between a server and a client with options.
func echoCall(o options) (call, closeAll func()) {
	conn, closeAll := serve(func(server *grpc.Server) { testpb.RegisterTestServiceServer(server, echo{}) }, o)
	client := testpb.NewTestServiceClient(conn)
	request := &testpb.SimpleRequest{Payload: &testpb.Payload{Body: make([]byte, 64)}}
	return func() {
		if _, err := client.UnaryCall(context.Background(), request); err != nil {
			panic(err)
		}
	}, closeAll
}
