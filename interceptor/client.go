package interceptor

import (
	"context"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/stripe"
)

// UnaryClientInterceptor is a grpc.UnaryClientInterceptor that counts calls. Placed first in the chain it sees what the caller
// sees, retries and rejections by other interceptors included; placed last, what the transport does.
func (r *Recorder) UnaryClientInterceptor(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) (err error) {
	m := r.client.lookup(method, Unary, true)
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, method) {
		return invoke(ctx, method, req, reply, conn, opts...)
	}
	c := m.begin(stripe.Of(r.client.mask), r.now())
	returned := false
	defer func() {
		if returned {
			return
		}
		p := recover() // As in UnaryServerInterceptor.
		c.abandon(p != nil, r.now())
		if p != nil {
			panic(p)
		}
	}()
	err = invoke(ctx, method, req, reply, conn, opts...)
	returned = true
	now := r.now()
	var o outcome
	if err == nil {
		c.finish(now)
	} else {
		o = r.clientOutcome(ctx, err, now-c.start)
		c.record(o, now)
	}
	if r.config.Exemplar != nil {
		r.recordExemplar(ctx, &c, o.code, now)
	}
	return err
}

// StreamClientInterceptor is a grpc.StreamClientInterceptor that counts streams and their messages. A stream is settled exactly
// once, when gRPC says that it has ended: by its last message, an error, a cancelled context or a closed connection.
// A stream that its owner neither drains nor cancels never ends, and stays in flight.
// Of a stream that another interceptor further in opens again after a failure, the end of the first attempt counts.
func (r *Recorder) StreamClientInterceptor(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	m := r.client.lookup(method, typeOf(desc.ClientStreams, desc.ServerStreams), true)
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, method) {
		return streamer(ctx, desc, conn, method, opts...)
	}
	s := &clientStream{recorder: r, ctx: ctx, call: m.begin(stripe.Of(r.client.mask), r.now())}
	returned := false
	defer func() {
		if returned {
			return
		}
		p := recover() // As in UnaryServerInterceptor.
		if s.ended.CompareAndSwap(false, true) {
			s.call.abandon(p != nil, r.now())
		}
		if p != nil {
			panic(p)
		}
	}()
	inner, err := streamer(ctx, desc, conn, method, append(slices.Clip(opts), grpc.OnFinish(s.end))...)
	returned = true
	if err != nil {
		// If the refusal came from another interceptor, gRPC has not heard of the stream and calls nobody.
		s.end(err)
		return nil, err
	}
	s.ClientStream = inner
	return s, nil
}

// clientStream counts messages, and settles its call once.
type clientStream struct {
	grpc.ClientStream
	recorder *Recorder
	ctx      context.Context
	call     call
	// ended is set by whoever settles the call: gRPC, from any goroutine, or StreamClientInterceptor.
	ended atomic.Bool
}

// end settles the call. A stream that ended well has a nil error here, not io.EOF.
func (s *clientStream) end(err error) {
	if !s.ended.CompareAndSwap(false, true) {
		return
	}
	now := s.recorder.now()
	o := s.recorder.clientOutcome(s.ctx, err, now-s.call.start)
	s.call.record(o, now)
	if s.recorder.config.Exemplar != nil {
		s.recorder.recordExemplar(s.ctx, &s.call, o.code, now)
	}
}

// SendMsg counts what was sent.
func (s *clientStream) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	if err == nil {
		s.call.stripe.sent.Add(1)
	}
	return err
}

// RecvMsg counts what was received.
func (s *clientStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil {
		s.call.stripe.received.Add(1)
	}
	return err
}
