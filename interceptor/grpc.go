package interceptor

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/internal/clientstream"
	"github.com/vitals-go/vitals/internal/rejection"
	"github.com/vitals-go/vitals/internal/stripe"
)

// skips calls Config.Skip.
func (r *Recorder) skips(ctx context.Context, fullMethod string) bool {
	defer r.skipPanic.recovered(ctx, r.log, "Skip")
	return r.config.Skip(ctx, fullMethod)
}

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor that records calls. Place it first in the chain. It allocates
// nothing. A panic is counted and propagates.
func (r *Recorder) UnaryServerInterceptor(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (resp any, err error) {
	return r.serveUnary(ctx, req, info, handler, false)
}

func (r *Recorder) serveUnary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler, recovers bool,
) (resp any, err error) {
	var c call
	defer r.abandoned(ctx, &c, &err, recovers)
	m := r.server.lookupUnary(info.FullMethod)
	if m == nil || r.config.Skip != nil && r.skips(ctx, info.FullMethod) {
		resp, err = handler(ctx, req)
		c.done = true
		return resp, err
	}
	c.begin(ctx, m, stripe.Of(r.server.mask), r.now())
	resp, err = handler(ctx, req)
	now := r.now()
	if err == nil && ctx.Err() == nil && r.config.Exemplar == nil {
		c.finish(now)
		c.done = true
		return resp, nil
	}
	r.endServer(ctx, &c, err, now)
	return resp, err
}

// StreamServerInterceptor is a grpc.StreamServerInterceptor that records streams and counts their messages. Place it
// first in the chain. It allocates one wrapper for each stream. A panic is counted and propagates.
func (r *Recorder) StreamServerInterceptor(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) (err error) {
	return r.serveStream(srv, stream, info, handler, false)
}

func (r *Recorder) serveStream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler, recovers bool,
) (err error) {
	var c call
	ctx := stream.Context()
	defer r.abandoned(ctx, &c, &err, recovers)
	// grpc.UnknownServiceHandler runs without a service.
	m := r.server.lookup(info.FullMethod, callType(info.IsClientStream, info.IsServerStream), srv != nil)
	if m == nil || r.config.Skip != nil && r.skips(ctx, info.FullMethod) {
		err = handler(srv, stream)
		c.done = true
		return err
	}
	c.begin(ctx, m, stripe.Of(r.server.mask), r.now())
	err = handler(srv, &serverStream{ServerStream: stream, stripe: c.stripe})
	now := r.now()
	r.endServer(ctx, &c, err, now)
	return err
}

// endServer records the end of a call whose handler returned err. A rejection by a circuit breaker, which is not worth a
// retry, gets the trailer that ends gRPC's own retries in the client.
func (r *Recorder) endServer(ctx context.Context, c *call, err error, now time.Duration) {
	o := r.serverOutcome(ctx, c.method, err, now-c.start)
	if o.code == codes.Unavailable && rejection.Is(err) {
		_ = grpc.SetTrailer(ctx, metadata.Pairs(rejection.Trailer, rejection.Pushback)) // fails if the call has ended
	}
	r.end(ctx, c, o, now)
}

// abandoned records a call that is not done: its handler has not returned, or its error panicked when its code was read.
// It must be deferred itself. With recovers it ends a panic and sets err; without, it panics again with the same value and
// the same stack. After runtime.Goexit there is nothing to recover.
func (r *Recorder) abandoned(ctx context.Context, c *call, err *error, recovers bool) {
	if c.done {
		return
	}
	p := recover()
	if c.method != nil {
		r.end(ctx, c, outcome{code: codes.Internal, panicked: p != nil}, r.now())
	}
	switch {
	case p == nil:
	case recovers:
		*err = panicked(ctx, r.log, p)
	default:
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
	var c call
	m := r.client.lookupUnary(method)
	if m == nil || r.config.Skip != nil && r.skips(ctx, method) {
		return invoke(ctx, method, req, reply, conn, opts...)
	}
	c.begin(ctx, m, stripe.Of(r.client.mask), r.now())
	defer r.abandoned(ctx, &c, &err, false)
	err = invoke(ctx, method, req, reply, conn, opts...)
	now := r.now()
	if err == nil && r.config.Exemplar == nil {
		c.finish(now)
		c.done = true
		return nil
	}
	r.end(ctx, &c, r.clientOutcome(ctx, err, now-c.start), now)
	return err
}

// StreamClientInterceptor is a grpc.StreamClientInterceptor that records streams and counts their messages. A stream
// counts once, by what its caller gets, also if an inner interceptor retries: when it receives an error, io.EOF or the
// only response, cancels the context or closes the connection. A stream that is neither read to its end nor canceled
// stays in flight.
func (r *Recorder) StreamClientInterceptor(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer,
	opts ...grpc.CallOption,
) (_ grpc.ClientStream, err error) {
	m := r.client.lookup(method, callType(desc.ClientStreams, desc.ServerStreams), true)
	if m == nil || r.config.Skip != nil && r.skips(ctx, method) {
		return streamer(ctx, desc, conn, method, opts...)
	}
	s := &clientStream{recorder: r, ctx: ctx}
	s.End = s.end
	s.call.begin(ctx, m, stripe.Of(r.client.mask), r.now())
	defer r.abandoned(ctx, &s.call, &err, false)
	defer func() { s.call.done = s.call.done || !s.Claim() }() // first: an end that comes later does not count
	err = s.Open(ctx, desc, conn, method, streamer, opts...)
	s.call.done = true
	if err != nil {
		return nil, err
	}
	return s, nil
}

// clientStream counts messages and records the end of its call.
type clientStream struct {
	clientstream.Stream
	recorder *Recorder
	ctx      context.Context
	call     call
}

func (s *clientStream) end(err error, _ func() metadata.MD) {
	now := s.recorder.now()
	o := outcome{code: codes.Internal, panicked: true} // if err panics
	defer func() { s.recorder.record(s.ctx, &s.call, o, now) }()
	o = s.recorder.clientOutcome(s.ctx, err, now-s.call.start)
}

func (s *clientStream) SendMsg(m any) error {
	return count(&s.call.stripe.sent, s.Stream.SendMsg(m))
}

func (s *clientStream) RecvMsg(m any) error {
	return count(&s.call.stripe.received, s.Stream.RecvMsg(m))
}
