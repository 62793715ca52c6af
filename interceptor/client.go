package interceptor

import (
	"context"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/internal/stripe"
)

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
	defer func() {
		if returned {
			return
		}
		p := recover() // as in abandoned
		s.endWith(outcome{code: codes.Internal, panicked: p != nil})
		if p != nil {
			panic(p)
		}
	}()
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
	s.endWith(s.recorder.clientOutcome(s.ctx, err, s.recorder.now()-s.call.start))
}

func (s *clientStream) endWith(o outcome) {
	if s.ended.CompareAndSwap(false, true) {
		s.recorder.end(s.ctx, &s.call, o, s.recorder.now())
	}
}

// SendMsg counts a sent message.
func (s *clientStream) SendMsg(m any) error {
	return s.call.stripe.countSent(s.ClientStream.SendMsg(m))
}

// RecvMsg counts a received message.
func (s *clientStream) RecvMsg(m any) error {
	return s.call.stripe.countReceived(s.ClientStream.RecvMsg(m))
}
