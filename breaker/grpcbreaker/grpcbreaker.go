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

// Config says what guards a client. Exactly one of Breaker and Group is required.
type Config struct {
	// Breaker guards every call.
	Breaker *breaker.Breaker
	// Group guards each call with the breaker of its Key.
	Group *breaker.Group
	// Key chooses among Group. It must be cheap and pure. Default: the target, as it was given to grpc.NewClient.
	Key func(target, fullMethod string) string

	// Skip leaves out methods, by full name. Those of the health and reflection services are always left out.
	Skip func(fullMethod string) bool

	// Classify judges a call's code. Default: Classify, see the package documentation.
	Classify func(codes.Code) breaker.Outcome
}

// Guard guards the calls of a gRPC client. Create it with New; one Guard may serve many connections.
type Guard struct{ cfg Config }

// New returns a Guard, or all mistakes in cfg. It starts nothing.
func New(cfg Config) (*Guard, error) {
	var mistakes []error
	if (cfg.Breaker == nil) == (cfg.Group == nil) {
		mistakes = append(mistakes, errors.New("grpcbreaker: exactly one of Breaker and Group is required"))
	}
	if cfg.Key != nil && cfg.Group == nil {
		mistakes = append(mistakes, errors.New("grpcbreaker: Key needs a Group"))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if cfg.Key == nil {
		cfg.Key = func(target, _ string) string { return target }
	}
	if cfg.Skip == nil {
		cfg.Skip = func(string) bool { return false }
	}
	if cfg.Classify == nil {
		cfg.Classify = Classify
	}
	return &Guard{cfg: cfg}, nil
}

// DialOptions returns both interceptors, to be passed to grpc.NewClient. Interceptors of options further behind run
// inside.
func (g *Guard) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(g.UnaryClient),
		grpc.WithChainStreamInterceptor(g.StreamClient),
	}
}

// UnaryClient is a grpc.UnaryClientInterceptor.
func (g *Guard) UnaryClient(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) error {
	b := g.breaker(cc, method)
	if b == nil {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	permit, err := b.Admit(ctx)
	if err != nil {
		return err
	}
	end := abandoned()
	defer func() { end.settle(b, &permit) }()
	var trailer metadata.MD
	err = invoke(permit.Context(), method, req, reply, cc, extend(opts, grpc.Trailer(&trailer))...)
	end = g.judge(err, trailer)
	return err
}

// breaker returns the one that guards method, or nil.
func (g *Guard) breaker(cc *grpc.ClientConn, method string) *breaker.Breaker {
	if exempt(method) || g.cfg.Skip(method) {
		return nil
	}
	if g.cfg.Breaker != nil {
		return g.cfg.Breaker
	}
	return g.cfg.Group.Get(g.cfg.Key(cc.Target(), method))
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
