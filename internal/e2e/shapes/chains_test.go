package shapes_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	grpc_middleware "github.com/grpc-ecosystem/go-grpc-middleware"
	grpc_auth "github.com/grpc-ecosystem/go-grpc-middleware/auth"
	grpc_zap "github.com/grpc-ecosystem/go-grpc-middleware/logging/zap"
	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	grpc_recovery "github.com/grpc-ecosystem/go-grpc-middleware/recovery"
	grpc_ctxtags "github.com/grpc-ecosystem/go-grpc-middleware/tags"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	grpc_prometheus "github.com/grpc-ecosystem/go-grpc-prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/e2e/rig"
	"github.com/vitals-go/vitals/internal/e2e/shapes"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// accessLog counts the records of an access log by message, method and code.
type accessLog struct {
	mu    sync.Mutex
	ended map[string]int
}

func (l *accessLog) add(method, code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended == nil {
		l.ended = map[string]int{}
	}
	l.ended[method+" "+code]++
}

// Log implements the Logger of go-grpc-middleware v2.
func (l *accessLog) Log(_ context.Context, _ logging.Level, message string, fields ...any) {
	if message != "finished call" {
		return
	}
	found := map[any]any{}
	for i := 0; i+1 < len(fields); i += 2 {
		found[fields[i]] = fields[i+1]
	}
	method, _ := found["grpc.method"].(string)
	code, _ := found["grpc.code"].(string)
	l.add(method, code)
}

// zapLogger returns a logger of which the access log counts the records of go-grpc-middleware v1.
func (l *accessLog) zapLogger() *zap.Logger { return zap.New(zapCore{zapcore.NewNopCore(), l}) }

type zapCore struct {
	zapcore.Core

	log *accessLog
}

func (zapCore) Enabled(zapcore.Level) bool { return true }

func (c zapCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(e, c)
}

func (c zapCore) With([]zapcore.Field) zapcore.Core { return c }

func (c zapCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if !strings.HasPrefix(e.Message, "finished") {
		return nil
	}
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(encoder)
	}
	method, _ := encoder.Fields["grpc.method"].(string)
	code, _ := encoder.Fields["grpc.code"].(string)
	c.log.add(method, code)
	return nil
}

// checkToken is the auth function of the chains.
func checkToken(ctx context.Context) (context.Context, error) {
	if tokens := metadata.ValueFromIncomingContext(ctx, "authorization"); len(tokens) != 1 || tokens[0] != shapes.Token {
		return nil, status.Error(codes.Unauthenticated, "invalid auth token")
	}
	return ctx, nil
}

func allButHealth(_ context.Context, call interceptors.CallMeta) bool {
	return call.Service != healthpb.Health_ServiceDesc.ServiceName
}

type requestIDKey struct{}

// requestID and tags stand for the interceptors of a large project that put values into the context.
func requestID(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(context.WithValue(ctx, requestIDKey{}, "1"), request)
}

func requestIDStream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	wrapped := grpc_middleware.WrapServerStream(stream)
	wrapped.WrappedContext = context.WithValue(stream.Context(), requestIDKey{}, "1")
	return handler(service, wrapped)
}

// chain is one chain before vitals and with it.
type chain struct {
	name   string
	before func(l *accessLog, log *slog.Logger, registry *prometheus.Registry) []grpc.ServerOption
	after  func(l *accessLog, f *shapes.Fixture) []grpc.ServerOption
}

// chainV2 is that of go-grpc-middleware's example server.
func chainV2() chain {
	return chain{
		name: "go-grpc-middleware v2",
		before: func(l *accessLog, log *slog.Logger, registry *prometheus.Registry) []grpc.ServerOption {
			metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
			registry.MustRegister(metrics)
			handler := recovery.WithRecoveryHandler(func(p any) error {
				log.Error("recovered from panic", "panic", p)
				return status.Errorf(codes.Internal, "%s", p)
			})
			return []grpc.ServerOption{
				grpc.ChainUnaryInterceptor(
					metrics.UnaryServerInterceptor(),
					logging.UnaryServerInterceptor(l),
					selector.UnaryServerInterceptor(auth.UnaryServerInterceptor(checkToken), selector.MatchFunc(allButHealth)),
					recovery.UnaryServerInterceptor(handler),
				),
				grpc.ChainStreamInterceptor(
					metrics.StreamServerInterceptor(),
					logging.StreamServerInterceptor(l),
					selector.StreamServerInterceptor(auth.StreamServerInterceptor(checkToken), selector.MatchFunc(allButHealth)),
					recovery.StreamServerInterceptor(handler),
				),
			}
		},
		after: func(l *accessLog, f *shapes.Fixture) []grpc.ServerOption {
			health, accessLogger, logger := f.Health, l, f.Logger
			panics := interceptor.NewRecovery(logger)
			return append(health.ServerOptions(),
				grpc.ChainUnaryInterceptor(
					logging.UnaryServerInterceptor(accessLogger),
					auth.UnaryServerInterceptor(checkToken), // sees no health checks
					panics.UnaryServerInterceptor,
				),
				grpc.ChainStreamInterceptor(
					logging.StreamServerInterceptor(accessLogger),
					auth.StreamServerInterceptor(checkToken),
					panics.StreamServerInterceptor,
				),
			)
		},
	}
}

// chainOfProject is in the style of a large project: a recovery of its own in the middle, which it keeps.
func chainOfProject() chain {
	rest := func(l *accessLog, handler recovery.RecoveryHandlerFuncContext) []grpc.ServerOption {
		recovers := recovery.WithRecoveryHandlerContext(handler)
		return []grpc.ServerOption{
			grpc.ChainUnaryInterceptor(requestID, grpc_ctxtags.UnaryServerInterceptor(), logging.UnaryServerInterceptor(l),
				recovery.UnaryServerInterceptor(recovers), auth.UnaryServerInterceptor(checkToken)),
			grpc.ChainStreamInterceptor(requestIDStream, grpc_ctxtags.StreamServerInterceptor(), logging.StreamServerInterceptor(l),
				recovery.StreamServerInterceptor(recovers), auth.StreamServerInterceptor(checkToken)),
		}
	}
	return chain{
		name: "large project",
		before: func(l *accessLog, log *slog.Logger, registry *prometheus.Registry) []grpc.ServerOption {
			metrics := grpcprom.NewServerMetrics()
			registry.MustRegister(metrics)
			return append([]grpc.ServerOption{
				grpc.ChainUnaryInterceptor(metrics.UnaryServerInterceptor()),
				grpc.ChainStreamInterceptor(metrics.StreamServerInterceptor()),
			}, rest(l, func(_ context.Context, p any) error {
				log.Error("recovered from panic", "panic", p)
				return status.Errorf(codes.Internal, "%s", p)
			})...)
		},
		after: func(l *accessLog, f *shapes.Fixture) []grpc.ServerOption {
			return append(f.Health.ServerOptions(), rest(l, interceptor.NewRecovery(f.Logger).HandlePanic)...)
		},
	}
}

// chainV1 uses ChainUnaryServer in grpc.UnaryInterceptor, which runs before ServerOptions; afterwards it is chained.
func chainV1() chain {
	return chain{
		name: "go-grpc-middleware v1",
		before: func(l *accessLog, log *slog.Logger, registry *prometheus.Registry) []grpc.ServerOption {
			metrics := grpc_prometheus.NewServerMetrics()
			registry.MustRegister(metrics)
			handler := grpc_recovery.WithRecoveryHandler(func(p any) error {
				log.Error("recovered from panic", "panic", p)
				return status.Errorf(codes.Internal, "%s", p)
			})
			return []grpc.ServerOption{
				grpc.UnaryInterceptor(grpc_middleware.ChainUnaryServer(
					grpc_ctxtags.UnaryServerInterceptor(),
					metrics.UnaryServerInterceptor(),
					grpc_zap.UnaryServerInterceptor(l.zapLogger()),
					grpc_auth.UnaryServerInterceptor(checkToken),
					grpc_recovery.UnaryServerInterceptor(handler),
				)),
				grpc.StreamInterceptor(grpc_middleware.ChainStreamServer(
					grpc_ctxtags.StreamServerInterceptor(),
					metrics.StreamServerInterceptor(),
					grpc_zap.StreamServerInterceptor(l.zapLogger()),
					grpc_auth.StreamServerInterceptor(checkToken),
					grpc_recovery.StreamServerInterceptor(handler),
				)),
			}
		},
		after: func(l *accessLog, f *shapes.Fixture) []grpc.ServerOption {
			health, zapLogger, logger := f.Health, l.zapLogger(), f.Logger
			handler := grpc_recovery.WithRecoveryHandlerContext(interceptor.NewRecovery(logger).HandlePanic)
			return append(health.ServerOptions(),
				grpc.ChainUnaryInterceptor( // was grpc.UnaryInterceptor(grpc_middleware.ChainUnaryServer(
					grpc_ctxtags.UnaryServerInterceptor(),
					grpc_zap.UnaryServerInterceptor(zapLogger),
					grpc_auth.UnaryServerInterceptor(checkToken),
					grpc_recovery.UnaryServerInterceptor(handler),
				),
				grpc.ChainStreamInterceptor(
					grpc_ctxtags.StreamServerInterceptor(),
					grpc_zap.StreamServerInterceptor(zapLogger),
					grpc_auth.StreamServerInterceptor(checkToken),
					grpc_recovery.StreamServerInterceptor(handler),
				),
			)
		},
	}
}

func chains() []chain { return []chain{chainV2(), chainOfProject(), chainV1()} }

func TestChains(t *testing.T) {
	for _, c := range chains() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shapes.Test(t, shapes.Shape{Name: c.name, Serve: func(t *testing.T, f *shapes.Fixture) shapes.Served {
				lis := shapes.Listen(t)
				return shapes.Run(t, lis.Addr().String(), func(ctx context.Context) error {
					return f.Health.Serve(ctx, serverOf(f, c.after(new(accessLog), f)), lis)
				})
			}})
		})
	}
}

func serverOf(f *shapes.Fixture, options []grpc.ServerOption) *grpc.Server {
	server := grpc.NewServer(options...)
	testpb.RegisterTestServiceServer(server, f.Service)
	return server
}

// observed is what a chain makes of the same calls.
type observed struct {
	callers map[string]codes.Code // what callers get
	counted map[string]int        // grpc_server_handled_total
	ended   map[string]int        // access log
	panics  int                   // logged
	leaked  bool                  // a caller got the value of a panic
}

// observe makes calls of each kind at a server with options.
func observe(t *testing.T, f *shapes.Fixture, options []grpc.ServerOption, l *accessLog, registry prometheus.Gatherer) observed {
	t.Helper()
	server, lis := serverOf(f, options), shapes.Listen(t)
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	o := observed{callers: map[string]codes.Code{}, counted: map[string]int{}, ended: l.ended}
	got := func(call string, err error) {
		o.callers[call] = status.Code(err)
		o.leaked = o.leaked || err != nil && strings.Contains(err.Error(), shapes.Secret)
	}
	client, ctx := testpb.NewTestServiceClient(conn), metadata.AppendToOutgoingContext(t.Context(), "authorization", shapes.Token)
	for _, code := range []codes.Code{codes.OK, codes.NotFound, codes.Unavailable, codes.Aborted} {
		_, err := client.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(code)}}) //nolint:gosec // at most 16
		got("unary "+code.String(), err)
	}
	_, err = client.EmptyCall(t.Context(), &testpb.Empty{})
	got("without token", err)
	for name, r := range map[string]*testpb.StreamingOutputCallRequest{
		"stream": {}, "stream that panics": {ResponseParameters: []*testpb.ResponseParameters{{Size: 1}}},
	} {
		stream, err := client.StreamingOutputCall(ctx, r)
		for err == nil {
			_, err = stream.Recv()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		got(name, err)
	}
	conn.Close()
	server.GracefulStop()
	<-served
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.Metric {
			if n := int(m.GetCounter().GetValue()); family.GetName() == "grpc_server_handled_total" && n > 0 {
				labels := map[string]string{}
				for _, label := range m.Label {
					labels[label.GetName()] = label.GetValue()
				}
				o.counted[labels["grpc_method"]+" "+labels["grpc_code"]] += n
			}
		}
	}
	o.ended = l.ended
	// The recorder's log lines are written by a goroutine.
	_ = rig.Eventually(t.Context(), 5*time.Second, func() error {
		if o.panics = strings.Count(f.Log.String(), "panic="); o.panics < 2 {
			return errors.New("a panic is not logged yet")
		}
		return nil
	})
	return o
}

// TestChainsLoseNothing makes the same calls before and after. Only the text of a panic is no longer sent to the caller.
func TestChainsLoseNothing(t *testing.T) {
	for _, c := range chains() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var logs [2]accessLog
			registry := prometheus.NewRegistry()
			f := shapes.New(t)
			before := observe(t, f, c.before(&logs[0], f.Logger, registry), &logs[0], registry)
			f, registry = shapes.New(t), prometheus.NewRegistry()
			collector, err := promvitals.New(promvitals.Config{Recorder: f.Health.Recorder()})
			if err != nil {
				t.Fatal(err)
			}
			registry.MustRegister(collector)
			after := observe(t, f, c.after(&logs[1], f), &logs[1], registry)
			if !before.leaked || after.leaked {
				t.Errorf("callers get the panic: before %v, after %v", before.leaked, after.leaked)
			}
			before.leaked, after.leaked = false, false
			if !reflect.DeepEqual(before, after) {
				t.Errorf("before: %+v\nafter:  %+v", before, after)
			}
			ended := 0
			for _, n := range before.ended {
				ended += n
			}
			if before.panics != 2 || ended != 7 || len(before.counted) != 7 {
				t.Errorf("before: %+v, want 2 panics and 7 calls", before)
			}
			if n := f.Health.Recorder().Server().Total.Panics; n != 2 {
				t.Errorf("%d panics counted, want 2", n)
			}
		})
	}
}

// TestPromvitalsBesideGoGRPCPrometheus registers the collector where a dependency has filled the default registry.
func TestPromvitalsBesideGoGRPCPrometheus(t *testing.T) {
	f := shapes.New(t)
	collector, err := promvitals.New(promvitals.Config{Recorder: f.Health.Recorder()})
	if err != nil {
		t.Fatal(err)
	}
	if err := prometheus.DefaultRegisterer.Register(collector); err == nil {
		t.Fatal("go-grpc-prometheus has registered nothing: this test tests nothing")
	}
	f.Health.Register(newServer(f))
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	if families, err := registry.Gather(); err != nil || len(families) == 0 {
		t.Errorf("%d families, %v", len(families), err)
	}
}
