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

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/interceptor"
)

const method = "/shop.v1.Orders/Place"

var errBroken = status.Error(codes.Internal, "broken")

// measureUnary compares recording a call on one core.
func measureUnary(p measure.Plan) (found findings) {
	recorder := newRecorder(1)
	ok := unarySubject(recorder.UnaryServerInterceptor, nil)
	failing := unarySubject(recorder.UnaryServerInterceptor, errBroken)
	prom := unarySubject(promInterceptor(), nil)
	one := measure.Interleave(p, 1, 1, twoClocks(), ok, failing, prom)
	clock, call, failed, peer := p.Figure(one[0]), p.Figure(one[1]), p.Figure(one[2]), p.Figure(one[3])
	found.goals = []result.Goal{
		atMost(1.5, "P1", "unary recorder against two clock readings", call, clock),
		allocations(0, "P1", "allocations of the unary recorder", testing.AllocsPerRun(1000, func() { ok(1) })),
		atMost(1.15, "P1", "failing call against a good one", failed, call),
		atLeast(8, "P2", "cheaper than the Prometheus interceptor with histogram", peer, call),
	}
	return found
}

// measureUnaryCores compares recording on two cores with recording on one.
func measureUnaryCores(p measure.Plan) (found findings) {
	ok := unarySubject(newRecorder(1).UnaryServerInterceptor, nil)
	one := measure.Interleave(p, 1, 1, ok)[0].Best()
	two, many := twoCores(p, 2, ok)[0], twoCores(p, 128, ok)[0]
	found.goals = []result.Goal{
		atMost(0.6, "P3", "two cores against one", two, one),
		atMost(0.6, "P3", "two cores with 64 goroutines each against one", many, one),
	}
	return found
}

// twoClocks is the least that anything costs which times a call.
func twoClocks() measure.Subject {
	base := time.Now()
	return func(n int) {
		for range n {
			_ = time.Since(base)
			_ = time.Since(base)
		}
	}
}

func promInterceptor() grpc.UnaryServerInterceptor {
	return promprovider.NewServerMetrics(promprovider.WithServerHandlingTimeHistogram()).UnaryServerInterceptor()
}

func unarySubject(intercept grpc.UnaryServerInterceptor, err error) measure.Subject {
	info := &grpc.UnaryServerInfo{FullMethod: method}
	handler := func(context.Context, any) (any, error) { return nil, err }
	return func(n int) {
		ctx := context.Background()
		for range n {
			_, _ = intercept(ctx, nil, info, handler)
		}
	}
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
