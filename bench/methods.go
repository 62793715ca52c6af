package main

import (
	"context"
	"fmt"
	"runtime"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

func measureMethods(p measure.Plan) (found findings) {
	one := measure.Interleave(p, 1, 1, over(newRecorder(10).UnaryServerInterceptor, 10), over(newRecorder(1000).UnaryServerInterceptor, 1000))
	bytes := idleBytes(10_000)
	found.goals = []result.Goal{
		atMost(1.5, "P5", "call among 1,000 methods against one among 10", p.Figure(one[1]), p.Figure(one[0])),
		{ID: "P5", What: "KiB of an idle method", Measured: bytes / 1024, Limit: 2, Figures: fmt.Sprintf("%.0f B", bytes), Exact: true},
	}
	return found
}

// over calls the first of newRecorder's n methods in turn.
func over(intercept grpc.UnaryServerInterceptor, n int) measure.Subject {
	infos := make([]*grpc.UnaryServerInfo, n)
	for i := range infos {
		infos[i] = &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Method%d", i%max(n-2, 1))}
	}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	next := 0 // Turns may be shorter than a round of all methods.
	return func(calls int) {
		ctx := context.Background()
		for range calls {
			if next++; next >= n {
				next = 0
			}
			_, _ = intercept(ctx, nil, infos[next], handler)
		}
	}
}

// idleBytes is the memory that each of n methods takes that are registered and never called.
func idleBytes(n int) float64 {
	before := measure.Memory()
	recorder := newRecorder(n)
	after := measure.Memory()
	runtime.KeepAlive(recorder)
	return (after - before) / float64(n)
}
