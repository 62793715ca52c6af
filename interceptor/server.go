package interceptor

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/internal/stripe"
)

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor that records calls. Place it first in the chain. It allocates
// nothing. A panic is counted and continues.
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
// first in the chain. It allocates one wrapper for each stream. A panic is counted and continues.
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

// SendMsg counts a sent message.
func (s *serverStream) SendMsg(m any) error { return s.stripe.countSent(s.ServerStream.SendMsg(m)) }

// RecvMsg counts a received message.
func (s *serverStream) RecvMsg(m any) error { return s.stripe.countReceived(s.ServerStream.RecvMsg(m)) }
