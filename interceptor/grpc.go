package interceptor

import (
	"context"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/internal/stripe"
)

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor that records calls. Place it first in the chain. It allocates
// nothing. A panic is counted and propagates.
func (r *Recorder) UnaryServerInterceptor(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (resp any, err error) {
	m := r.server.lookup(info.FullMethod, Unary, true)
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, info.FullMethod) {
		return handler(ctx, req)
	}
	c := m.begin(stripe.Of(r.server.mask), r.now())
	returned := false
	defer r.abandoned(ctx, &c, &returned)
	resp, err = handler(ctx, req)
	returned = true
	now := r.now()
	if err == nil && ctx.Err() == nil && r.config.Exemplar == nil {
		c.finish(now)
		return resp, nil
	}
	r.end(ctx, &c, r.serverOutcome(ctx, m, err, now-c.start), now)
	return resp, err
}

// StreamServerInterceptor is a grpc.StreamServerInterceptor that records streams and counts their messages. Place it
// first in the chain. It allocates one wrapper for each stream. A panic is counted and propagates.
func (r *Recorder) StreamServerInterceptor(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) (err error) {
	// grpc.UnknownServiceHandler runs without a service.
	m := r.server.lookup(info.FullMethod, callType(info.IsClientStream, info.IsServerStream), srv != nil)
	ctx := stream.Context()
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, info.FullMethod) {
		return handler(srv, stream)
	}
	c := m.begin(stripe.Of(r.server.mask), r.now())
	returned := false
	defer r.abandoned(ctx, &c, &returned)
	err = handler(srv, &serverStream{ServerStream: stream, stripe: c.stripe})
	returned = true
	now := r.now()
	r.end(ctx, &c, r.serverOutcome(ctx, m, err, now-c.start), now)
	return err
}

// abandoned records a call if its handler has not returned. It must be deferred itself: it panics again with the same
// value and the same stack. After runtime.Goexit there is nothing to recover.
func (r *Recorder) abandoned(ctx context.Context, c *call, returned *bool) {
	if *returned {
		return
	}
	p := recover()
	r.end(ctx, c, outcome{code: codes.Internal, panicked: p != nil}, r.now())
	if p != nil {
		panic(p)
	}
}

// serverStream counts messages in the stripe of its call.
type serverStream struct {
	grpc.ServerStream
	stripe *callStripe
}

func (s *serverStream) SendMsg(m any) error {
	return count(&s.stripe.sent, s.ServerStream.SendMsg(m))
}

func (s *serverStream) RecvMsg(m any) error {
	return count(&s.stripe.received, s.ServerStream.RecvMsg(m))
}

// UnaryClientInterceptor is a grpc.UnaryClientInterceptor that records calls. First in the chain, it records what the
// caller gets, after retries and rejections by other interceptors; last, each attempt.
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
	defer r.abandoned(ctx, &c, &returned)
	err = invoke(ctx, method, req, reply, conn, opts...)
	returned = true
	now := r.now()
	if err == nil && r.config.Exemplar == nil {
		c.finish(now)
		return nil
	}
	r.end(ctx, &c, r.clientOutcome(ctx, err, now-c.start), now)
	return err
}

// StreamClientInterceptor is a grpc.StreamClientInterceptor that records streams and counts their messages. A stream
// counts once, when gRPC ends it: by its last message, an error, a canceled context or a closed connection. A stream
// that is neither read to its end nor canceled stays in flight. Of a stream that an inner interceptor opens again
// after a failure, the end of the first attempt counts.
func (r *Recorder) StreamClientInterceptor(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	m := r.client.lookup(method, callType(desc.ClientStreams, desc.ServerStreams), true)
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, method) {
		return streamer(ctx, desc, conn, method, opts...)
	}
	s := &clientStream{recorder: r, ctx: ctx, call: m.begin(stripe.Of(r.client.mask), r.now())}
	returned := false
	defer r.abandoned(ctx, &s.call, &returned)
	defer func() { returned = returned || !s.ended.CompareAndSwap(false, true) }() // first: gRPC may have ended it
	inner, err := streamer(ctx, desc, conn, method, append(slices.Clip(opts), grpc.OnFinish(s.end))...)
	returned = true
	if err != nil {
		s.end(err) // gRPC has not called it if the error is another interceptor's
		return nil, err
	}
	s.ClientStream = inner
	return s, nil
}

// clientStream counts messages and records the end of its call once.
type clientStream struct {
	grpc.ClientStream
	recorder *Recorder
	ctx      context.Context
	call     call
	// ended is set by the first end, from gRPC on any goroutine or from StreamClientInterceptor.
	ended atomic.Bool
}

// end records the end of the stream. Err is nil, not io.EOF, after a success.
func (s *clientStream) end(err error) {
	if s.ended.CompareAndSwap(false, true) {
		now := s.recorder.now()
		s.recorder.end(s.ctx, &s.call, s.recorder.clientOutcome(s.ctx, err, now-s.call.start), now)
	}
}

func (s *clientStream) SendMsg(m any) error {
	return count(&s.call.stripe.sent, s.ClientStream.SendMsg(m))
}

func (s *clientStream) RecvMsg(m any) error {
	return count(&s.call.stripe.received, s.ClientStream.RecvMsg(m))
}
