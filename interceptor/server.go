package interceptor

import (
	"context"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/stripe"
)

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor that counts calls. It belongs first in the chain: what stands before it
// is not seen. It costs about two readings of the clock and allocates nothing. A panic passes through, counted.
func (r *Recorder) UnaryServerInterceptor(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (resp any, err error) {
	m := r.server.lookup(info.FullMethod, Unary, true)
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, info.FullMethod) {
		return handler(ctx, req)
	}
	c := m.begin(stripe.Of(r.server.mask), r.now())
	returned := false
	defer func() {
		if returned {
			return
		}
		// A recovered panic that goes on from here keeps its stack: the frames are still there. After
		// runtime.Goexit there is nothing to recover.
		p := recover()
		c.abandon(p != nil, r.now())
		if p != nil {
			panic(p)
		}
	}()
	resp, err = handler(ctx, req)
	returned = true
	now := r.now()
	var o outcome
	if err == nil && ctx.Err() == nil {
		c.finish(now)
	} else {
		o = r.serverOutcome(ctx, c.method, err, now-c.start)
		c.record(o, now)
	}
	if r.config.Exemplar != nil {
		r.recordExemplar(ctx, &c, o.code, now)
	}
	return resp, err
}

// StreamServerInterceptor is a grpc.StreamServerInterceptor that counts streams and their messages. It belongs first in the
// chain. It allocates one wrapper per stream; a message costs one addition and no clock reading.
func (r *Recorder) StreamServerInterceptor(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) (err error) {
	// An UnknownServiceHandler is called without a service.
	m := r.server.lookup(info.FullMethod, typeOf(info.IsClientStream, info.IsServerStream), srv != nil)
	ctx := stream.Context()
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, info.FullMethod) {
		return handler(srv, stream)
	}
	c := m.begin(stripe.Of(r.server.mask), r.now())
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
	err = handler(srv, &serverStream{ServerStream: stream, stripe: c.stripe})
	returned = true
	now := r.now()
	o := r.serverOutcome(ctx, c.method, err, now-c.start)
	c.record(o, now)
	if r.config.Exemplar != nil {
		r.recordExemplar(ctx, &c, o.code, now)
	}
	return err
}

// serverStream counts messages in the stripe of its call.
type serverStream struct {
	grpc.ServerStream
	stripe *callStripe
}

// SendMsg counts what was sent.
func (s *serverStream) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	if err == nil {
		s.stripe.sent.Add(1)
	}
	return err
}

// RecvMsg counts what was received.
func (s *serverStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.stripe.received.Add(1)
	}
	return err
}
