package interceptor

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"

	"github.com/vitals-go/vitals/internal/lane"
)

// ServerReporter implements go-grpc-middleware's interceptors.ServerReportable, so that a Recorder drops into a chain
// that is built on it. UnaryServer and StreamServer are better where there is a choice: the middleware's interceptors
// lose panics, which leaves the call in flight for ever, and read the clock twice for each message.
func (r *Recorder) ServerReporter(
	ctx context.Context, meta interceptors.CallMeta,
) (interceptors.Reporter, context.Context) {
	return r.reporter(ctx, meta, r.server)
}

// ClientReporter implements go-grpc-middleware's interceptors.ClientReportable. UnaryClient and StreamClient are
// better where there is a choice: the middleware does not notice every end of a stream. The end of ctx settles the
// call too, but a connection that closes under a stream that nobody reads leaves it in flight.
func (r *Recorder) ClientReporter(
	ctx context.Context, meta interceptors.CallMeta,
) (interceptors.Reporter, context.Context) {
	return r.reporter(ctx, meta, r.client)
}

func (r *Recorder) reporter(
	ctx context.Context, meta interceptors.CallMeta, s *side,
) (interceptors.Reporter, context.Context) {
	m := s.lookup("/"+meta.Service+"/"+meta.Method, CallType(meta.Typ), true)
	if m == nil || r.config.Skip != nil && r.config.Skip(ctx, meta.FullMethod()) {
		return interceptors.NoopReporter{}, ctx
	}
	p := &reporter{recorder: r, ctx: ctx, client: s.client, call: m.begin(lane.Of(s.mask), r.now())}
	if s.client && meta.Typ != interceptors.Unary {
		p.forget = context.AfterFunc(ctx, p.cancelled)
	}
	return p, ctx
}

// reporter is one call of a go-grpc-middleware chain.
type reporter struct {
	recorder *Recorder
	ctx      context.Context
	client   bool
	call     call
	// forget stops waiting for the end of ctx; nil if nobody waits. Written before the reporter is handed out.
	forget func() bool
	// ended is set by whoever settles the call first: the middleware reports some ends more than once.
	ended atomic.Bool
}

// PostCall implements interceptors.Reporter: it settles the call, the first time.
func (p *reporter) PostCall(err error, elapsed time.Duration) {
	if !p.ended.CompareAndSwap(false, true) {
		return
	}
	if p.forget != nil {
		p.forget()
	}
	if errors.Is(err, io.EOF) && p.client {
		err = nil
	}
	var o outcome
	if p.client {
		o = p.recorder.clientOutcome(p.ctx, err, elapsed)
	} else {
		o = p.recorder.serverOutcome(p.ctx, p.call.method, err, elapsed)
	}
	now := p.call.start + elapsed
	p.call.settle(o, now)
	if p.recorder.config.Exemplar != nil {
		p.recorder.illustrate(p.ctx, &p.call, o.code, now)
	}
}

func (p *reporter) cancelled() { p.PostCall(p.ctx.Err(), p.recorder.now()-p.call.start) }

// PostMsgSend implements interceptors.Reporter.
func (p *reporter) PostMsgSend(_ any, err error, _ time.Duration) {
	if err == nil {
		p.call.stripe.sent.Add(1)
	}
}

// PostMsgReceive implements interceptors.Reporter.
func (p *reporter) PostMsgReceive(_ any, err error, _ time.Duration) {
	if err == nil {
		p.call.stripe.received.Add(1)
	}
}
