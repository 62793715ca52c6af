package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
)

// nowhere is a server stream whose messages cost nothing.
type nowhere struct{ grpc.ServerStream }

func (nowhere) Context() context.Context { return context.Background() }
func (nowhere) SendMsg(any) error        { return nil }
func (nowhere) RecvMsg(any) error        { return nil }

func measureStream(p plan) []goal {
	recorder := newRecorder(2)
	info := &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsClientStream: true, IsServerStream: true}
	var word atomic.Uint64
	add := subject{"one atomic add", func(n int) {
		for range n {
			word.Add(1)
		}
	}}
	stream := grpc.ServerStream(nowhere{})
	message := subject{"message", func(n int) {
		err := recorder.StreamServer(nil, stream, info, func(_ any, s grpc.ServerStream) error {
			for range n {
				_ = s.SendMsg(nil)
			}
			return nil
		})
		if err != nil {
			panic(err)
		}
	}}
	nothing := func(any, grpc.ServerStream) error { return nil }
	open := testing.AllocsPerRun(1000, func() { _ = recorder.StreamServer(nil, stream, info, nothing) })
	perMessage := testing.AllocsPerRun(10, func() { message.run(1000) }) - open

	one := interleave(p, 1, 1, add, message)
	return []goal{
		{id: "P4", what: "message of a stream against one atomic add", measured: one[1].median() / one[0].median(), limit: 1.5, figures: ns(one[1].median()) + " / " + ns(one[0].median())},
		{id: "P4", what: "allocations of 1,000 messages", measured: perMessage, limit: 0, figures: fmt.Sprint(perMessage)},
		{id: "P4", what: "allocations of open and close", measured: open, limit: 1, figures: fmt.Sprint(open)},
	}
}
