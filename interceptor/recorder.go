package interceptor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/asynclog"
)

// Config configures a Recorder. Every field is independent of the others.
type Config struct {
	// Window is the time span of Snapshot's windows, which slide in steps of a twelfth. Default 60 s, at least 10 ms.
	Window time.Duration
	// MaxMethods limits, for each side, the methods that get an entry because a call named them: on the server until
	// Register, on the client always. Further names share the entry "other". Operations have a limit of the same size,
	// until RegisterOperations. Default 1000; negative means none.
	MaxMethods int
	// Skip reports whether a gRPC call of either side is not counted; fullMethod is /service/method. It runs on every
	// call; a call for which it panics is counted. Default: IsInfrastructure, which costs a call nothing.
	Skip func(ctx context.Context, fullMethod string) bool
	// Exemplar returns labels that identify one call, such as its trace_id, from the context of a call that has ended;
	// nil if there are none, as for a span that is not sampled. otelvitals.Exemplar is such a function. It runs when a
	// method has no exemplar younger than a second for the call's latency (in steps of 1, 2.5, 5 of a decade) and
	// success. The result must not change afterwards. Default: no exemplars.
	Exemplar func(ctx context.Context) map[string]string
	// MinDeadline is the least time that a caller must have left when the call began for DeadlineExceeded to be a
	// failure. Default 100 ms; negative means that every DeadlineExceeded is one.
	MinDeadline time.Duration
	// Logger receives the panics that ServerOptions recovers from, the first panic of Skip and of Exemplar, and a warning
	// when MaxMethods is reached, in a goroutine of its own. Default slog.Default().
	Logger *slog.Logger
}

// Recorder records calls of the server and of the client side. Create it with New.
type Recorder struct {
	config Config
	log    *asynclog.Logger
	// created is the origin of all internal times: time.Since reads the monotonic clock only, at half the cost of
	// time.Now.
	created        time.Time
	server, client *side
	exemplarPanic  hookPanic
	skipPanic      hookPanic
}

const (
	minWindow = 10 * time.Millisecond            // a shorter one costs each call a rotation
	maxWindow = time.Duration(math.MaxInt64 / 8) // keeps sums from overflowing
)

// New returns a Recorder. The error names the field of Config that is invalid.
func New(cfg Config) (*Recorder, error) {
	cfg.Window = cmp.Or(cfg.Window, time.Minute)
	if cfg.Window < minWindow || cfg.Window > maxWindow {
		return nil, fmt.Errorf("interceptor: Window: got %v, want %v to %v", cfg.Window, minWindow, maxWindow.Truncate(time.Hour))
	}
	cfg.MaxMethods = cmp.Or(cfg.MaxMethods, 1000)
	cfg.MinDeadline = cmp.Or(cfg.MinDeadline, 100*time.Millisecond)
	r := &Recorder{config: cfg, log: newLogger(cfg.Logger), created: time.Now()}
	r.server = newSide(&r.config, r.log, false)
	r.client = newSide(&r.config, r.log, true)
	return r, nil
}

// ServerOptions returns options that make a server record all its calls and turn panics into codes.Internal, logged to
// Config.Logger: one interceptor for unary calls and one for streams. Place them first: chained interceptors
// of later options run inside. One of grpc.UnaryInterceptor or grpc.StreamInterceptor runs outside, wherever it stands.
func (r *Recorder) ServerOptions() []grpc.ServerOption {
	unary, stream := r.ServerInterceptors()
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(unary), grpc.ChainStreamInterceptor(stream)}
}

// ServerInterceptors returns the interceptors of ServerOptions, to call them from an interceptor of one's own.
func (r *Recorder) ServerInterceptors() (grpc.UnaryServerInterceptor, grpc.StreamServerInterceptor) {
	unary := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return r.serveUnary(ctx, req, info, handler, true)
	}
	stream := func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return r.serveStream(srv, stream, info, handler, true)
	}
	return unary, stream
}

// DialOptions returns options that make a client record all its calls, as their callers see them.
func (r *Recorder) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(r.UnaryClientInterceptor),
		grpc.WithChainStreamInterceptor(r.StreamClientInterceptor),
	}
}

// Register adds the methods of a server, usually a *grpc.Server, so that every Snapshot lists them from the start.
// After it, server calls to other names share the entry "other", so that callers cannot make the Recorder grow. Call it
// after the services are registered and before Serve, once for each server.
func (r *Recorder) Register(server interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
},
) {
	made := map[string]*method{}
	for service, info := range server.GetServiceInfo() {
		if r.config.Skip == nil && isInfrastructure(service) {
			continue
		}
		for _, m := range info.Methods {
			typ := callType(m.IsClientStream, m.IsServerStream)
			made["/"+service+"/"+m.Name] = r.server.newMethod(service, m.Name, typ, true)
		}
	}
	r.server.replace(Unary, made)
}

// BehindHTTP reports whether gRPC calls came through grpc.Server.ServeHTTP, whose connections belong to net/http. It looks
// at the first call of each method in a twelfth of Config.Window.
func (r *Recorder) BehindHTTP() bool { return r.server.behindHTTP.Load() }

// now returns the time since the Recorder was created.
func (r *Recorder) now() time.Duration { return time.Since(r.created) }

// end records the end of a call with o.
func (r *Recorder) end(ctx context.Context, c *call, o outcome, now time.Duration) {
	r.record(ctx, c, o, now)
	c.done = true
}

func (r *Recorder) record(ctx context.Context, c *call, o outcome, now time.Duration) {
	c.record(o, now)
	if r.config.Exemplar != nil {
		r.recordExemplar(ctx, c, o.code, now)
	}
}
