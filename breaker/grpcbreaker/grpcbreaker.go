package grpcbreaker

import (
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/breaker"
)

// Config configures the interceptors. Exactly one of Breaker and BreakerFor is required.
type Config struct {
	// Breaker guards every call.
	Breaker *breaker.Breaker
	// BreakerFor returns the breaker of a call, such as one of a breaker.Group, or nil for a call that is not guarded.
	// Target is the string given to grpc.NewClient. It runs once per call and must be cheap.
	BreakerFor func(target, fullMethod string) *breaker.Breaker

	// Classify judges a call's code. Default: Classify, see the package documentation.
	Classify func(codes.Code) breaker.Outcome
}

// Interceptor guards the calls of a gRPC client. Create it with New; one Interceptor may serve many connections.
type Interceptor struct{ cfg Config }

// New returns a Interceptor, or an error for an invalid cfg. It starts nothing.
func New(cfg Config) (*Interceptor, error) {
	if (cfg.Breaker == nil) == (cfg.BreakerFor == nil) {
		return nil, errors.New("grpcbreaker: exactly one of Breaker and BreakerFor is required")
	}
	if cfg.Classify == nil {
		cfg.Classify = Classify
	}
	return &Interceptor{cfg: cfg}, nil
}

// DialOptions returns both interceptors, to be passed to grpc.NewClient. Interceptors of options further behind run
// inside.
func (g *Interceptor) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(g.UnaryClient),
		grpc.WithChainStreamInterceptor(g.StreamClient),
	}
}

// UnaryClientInterceptor is a grpc.UnaryClientInterceptor.
func (g *Interceptor) UnaryClient(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) error {
	b := g.breaker(cc, method)
	if b == nil {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	permit, err := b.Allow(ctx)
	if err != nil {
		return err
	}
	end := abandoned()
	defer func() { end.done(b, &permit) }()
	var trailer metadata.MD
	err = invoke(permit.Context(), method, req, reply, cc, extend(opts, grpc.Trailer(&trailer))...)
	end = g.classify(err, trailer)
	return err
}

// breaker returns the one that guards method, or nil.
func (g *Interceptor) breaker(cc *grpc.ClientConn, method string) *breaker.Breaker {
	switch {
	case exempt(method):
		return nil
	case g.cfg.Breaker != nil:
		return g.cfg.Breaker
	default:
		return g.cfg.BreakerFor(cc.Target(), method)
	}
}

// exempt calls ask about the server itself: whoever makes them needs the truth.
func exempt(method string) bool {
	return strings.HasPrefix(method, "/grpc.health.v1.Health/") ||
		strings.HasPrefix(method, "/grpc.reflection.v1.ServerReflection/") ||
		strings.HasPrefix(method, "/grpc.reflection.v1alpha.ServerReflection/")
}

// extend never writes to the caller's array.
func extend(opts []grpc.CallOption, more ...grpc.CallOption) []grpc.CallOption {
	return append(slices.Clip(opts), more...)
}
