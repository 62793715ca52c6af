package grpcbreaker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/breaker"
)

// Config configures an Interceptor. Exactly one of Breaker and BreakerFor is required.
type Config struct {
	// Breaker protects every call.
	Breaker *breaker.Breaker
	// BreakerFor returns the breaker of a call, such as one of a breaker.Group, or nil for an unprotected call. Target is
	// the string given to grpc.NewClient. It runs once per call and must be cheap.
	BreakerFor func(target, fullMethod string) *breaker.Breaker

	// Classify returns the outcome of a call with this code. Default: Classify.
	Classify func(codes.Code) breaker.Outcome
}

// Interceptor protects the calls of gRPC clients. Create it with New; several connections may share one.
type Interceptor struct {
	cfg Config
	// trailers is the number of further calls without a failure that read their trailer, if more than 0.
	trailers atomic.Int64
}

// trailerCalls is the number of successful calls after which unary calls no longer read the trailer: it needs a call
// option, which makes three allocations.
const trailerCalls = 1000

// New returns an Interceptor, or an error for an invalid cfg. It starts nothing.
func New(cfg Config) (*Interceptor, error) {
	if (cfg.Breaker == nil) == (cfg.BreakerFor == nil) {
		return nil, errors.New("grpcbreaker: exactly one of Breaker and BreakerFor is required")
	}
	if cfg.Classify == nil {
		cfg.Classify = Classify
	}
	i := &Interceptor{cfg: cfg}
	i.trailers.Store(trailerCalls)
	return i, nil
}

// DialOptions returns options for grpc.NewClient with both interceptors. Interceptors of later options run inside.
func (i *Interceptor) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(i.UnaryClientInterceptor),
		grpc.WithChainStreamInterceptor(i.StreamClientInterceptor),
	}
}

// UnaryClientInterceptor implements grpc.UnaryClientInterceptor.
func (i *Interceptor) UnaryClientInterceptor(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) error {
	b := i.breaker(cc, method)
	if b == nil {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	permit, err := b.Allow(ctx)
	if err != nil {
		return err
	}
	end := callEnd{cause: errAbandoned}
	defer func() { end.record(b, &permit) }()
	if i.trailers.Load() <= 0 && !permit.Probe() {
		err = invoke(ctx, method, req, reply, cc, opts...)
		end = i.classify(err, nil)
		return err
	}
	var trailer metadata.MD
	err = invoke(permit.Context(), method, req, reply, cc, append(slices.Clip(opts), grpc.Trailer(&trailer))...)
	end = i.classify(err, func() metadata.MD { return trailer })
	return err
}

// breaker returns the breaker of a call, or nil.
func (i *Interceptor) breaker(cc *grpc.ClientConn, method string) *breaker.Breaker {
	switch {
	case exempt(method):
		return nil
	case i.cfg.Breaker != nil:
		return i.cfg.Breaker
	default:
		return i.cfg.BreakerFor(cc.Target(), method)
	}
}

// exempt reports whether method is about the server itself, so that its callers need the server's own response.
func exempt(method string) bool {
	return strings.HasPrefix(method, "/grpc.health.v1.Health/") ||
		strings.HasPrefix(method, "/grpc.reflection.v1.ServerReflection/") ||
		strings.HasPrefix(method, "/grpc.reflection.v1alpha.ServerReflection/")
}
