package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	promprovider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

const method = "/shop.v1.Orders/Place"

var errBroken = status.Error(codes.Internal, "broken")

func measureUnary(p plan) []goal {
	recorder := newRecorder(1)
	withHistogram := promprovider.NewServerMetrics(promprovider.WithServerHandlingTimeHistogram())
	base := time.Now()
	clocks := subject{"two clock readings", func(n int) {
		for range n {
			_ = time.Since(base)
			_ = time.Since(base)
		}
	}}
	ok := unarySubject("recorder", recorder.UnaryServer, nil)
	failing := unarySubject("recorder, failing call", recorder.UnaryServer, errBroken)
	prom := unarySubject("Prometheus provider with histogram", withHistogram.UnaryServerInterceptor(), nil)

	one := interleave(p, 1, 1, clocks, ok, failing, prom)
	two := interleave(p, 2, 2, ok, prom)
	many := interleave(p, 2, 128, ok, prom)
	allocs := testing.AllocsPerRun(1000, func() { ok.run(1) })

	clock, call, failed, peer := one[0].median(), one[1].median(), one[2].median(), one[3].median()
	return []goal{
		{id: "P1", what: "unary recorder against two clock readings", measured: call / clock, limit: 1.7, figures: ns(call) + " / " + ns(clock)},
		{id: "P1", what: "allocations of the unary recorder", measured: allocs, limit: 0, figures: fmt.Sprint(allocs)},
		{id: "P1", what: "failing call against a good one", measured: failed / call, limit: 1.15, figures: ns(failed) + " / " + ns(call)},
		{id: "P2", what: "cheaper than the Prometheus interceptor with histogram", measured: peer / call, limit: 8, atLeast: true, figures: ns(peer) + " / " + ns(call)},
		{id: "P3", what: "two cores against one", measured: two[0].best() / one[1].best(), limit: 0.6, figures: ns(two[0].best()) + " / " + ns(one[1].best())},
		{id: "P3", what: "two cores with 64 goroutines each against one", measured: many[0].best() / one[1].best(), limit: 0.6, figures: ns(many[0].best()) + " / " + ns(one[1].best())},
	}
}

func unarySubject(name string, intercept grpc.UnaryServerInterceptor, result error) subject {
	info := &grpc.UnaryServerInfo{FullMethod: method}
	handler := func(context.Context, any) (any, error) { return nil, result }
	return subject{name, func(n int) {
		ctx := context.Background()
		for range n {
			_, _ = intercept(ctx, nil, info, handler)
		}
	}}
}

// services is a server's list of registered methods.
type services map[string]grpc.ServiceInfo

func (s services) GetServiceInfo() map[string]grpc.ServiceInfo { return s }

// newRecorder returns a recorder that knows n methods, the benchmarks' own among them.
func newRecorder(n int) *interceptor.Recorder {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		panic(err)
	}
	info := grpc.ServiceInfo{Methods: []grpc.MethodInfo{{Name: "Place"}, {Name: "Follow", IsServerStream: true, IsClientStream: true}}}
	for i := range max(n-2, 0) {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: fmt.Sprintf("Method%d", i)})
	}
	recorder.Register(services{"shop.v1.Orders": info})
	return recorder
}

func ns(figure float64) string {
	switch {
	case figure >= 1e6:
		return fmt.Sprintf("%.3g ms", figure/1e6)
	case figure >= 1e4:
		return fmt.Sprintf("%.3g µs", figure/1e3)
	default:
		return fmt.Sprintf("%.3g ns", figure)
	}
}
