package main

import (
	"context"
	"fmt"
	"runtime"

	"google.golang.org/grpc"
)

func measureMethods(p plan) []goal {
	few, many := over(10), over(1000)
	one := interleave(p, 1, 1, few, many)
	bytes := idleBytes(10_000)
	return []goal{
		{id: "P5", what: "call among 1,000 methods against one among 10", measured: one[1].median() / one[0].median(), limit: 1.5, figures: ns(one[1].median()) + " / " + ns(one[0].median())},
		{id: "P5", what: "KiB of an idle method", measured: bytes / 1024, limit: 2, figures: fmt.Sprintf("%.0f B", bytes)},
	}
}

// over calls n methods in turn.
func over(n int) subject {
	recorder := newRecorder(n)
	infos := make([]*grpc.UnaryServerInfo, n)
	for i := range infos {
		infos[i] = &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Method%d", i%max(n-2, 1))}
	}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	return subject{fmt.Sprintf("%d methods", n), func(calls int) {
		ctx := context.Background()
		for i := range calls {
			_, _ = recorder.UnaryServer(ctx, nil, infos[i%n], handler)
		}
	}}
}

// idleBytes is the heap that each of n methods takes that are registered and never called.
func idleBytes(n int) float64 {
	before := heap()
	recorder := newRecorder(n)
	after := heap()
	runtime.KeepAlive(recorder)
	return float64(after-before) / float64(n)
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
