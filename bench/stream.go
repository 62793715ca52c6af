package main

import (
	"context"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// nowhere is a server stream whose messages cost nothing.
type nowhere struct{ grpc.ServerStream }

func (nowhere) Context() context.Context { return context.Background() }
func (nowhere) SendMsg(any) error        { return nil }
func (nowhere) RecvMsg(any) error        { return nil }

func measureStream(p measure.Plan) (found findings) {
	recorder := newRecorder(2)
	info := &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsClientStream: true, IsServerStream: true}
	var word atomic.Uint64
	add := func(n int) {
		for range n {
			word.Add(1)
		}
	}
	stream := grpc.ServerStream(nowhere{})
	message := func(n int) {
		err := recorder.StreamServerInterceptor(nil, stream, info, func(_ any, s grpc.ServerStream) error {
			for range n {
				_ = s.SendMsg(nil)
			}
			return nil
		})
		if err != nil {
			panic(err)
		}
	}
	nothing := func(any, grpc.ServerStream) error { return nil }
	open := testing.AllocsPerRun(1000, func() { _ = recorder.StreamServerInterceptor(nil, stream, info, nothing) })
	perMessage := testing.AllocsPerRun(10, func() { message(1000) }) - open

	one := measure.Interleave(p, 1, 1, add, message)
	found.goals = []result.Goal{
		atMost(1.5, "P4", "message of a stream against one atomic add", p.Figure(one[1]), p.Figure(one[0])),
		allocations(0, "P4", "allocations of 1,000 messages", perMessage),
		allocations(1, "P4", "allocations of open and close", open),
	}
	return found
}
