package grpcbreaker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	unaryMethod  = "/test.Dependency/Call"
	streamMethod = "/test.Dependency/Follow"
)

// dependency is a server with one stream and one unary method that run functions of the test.
type dependency struct {
	unary  func(context.Context) error
	stream func(grpc.ServerStream) error
	health healthpb.HealthServer
}

// dial starts d and connects a protected client until the end of the test.
func dial(t *testing.T, d *dependency, interceptor *grpcbreaker.Interceptor) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Dependency",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Call", Handler: func(
			_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor,
		) (any, error) {
			if err := decode(&emptypb.Empty{}); err != nil {
				return nil, err
			}
			return &emptypb.Empty{}, d.unary(ctx)
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Follow", ServerStreams: true, Handler: func(
			_ any, stream grpc.ServerStream,
		) error {
			return d.stream(stream)
		}}},
	}, d)
	if d.health != nil {
		healthpb.RegisterHealthServer(server, d.health)
	}
	lis := bufconn.Listen(1 << 16)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(lis)
	}()
	options := append(interceptor.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	conn, err := grpc.NewClient("passthrough:///dependency", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		<-served
	})
	return conn
}

func newGuard(t *testing.T, cfg breaker.Config) (*breaker.Breaker, *grpcbreaker.Interceptor) {
	t.Helper()
	cfg.Name = "dependency"
	b, err := breaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	interceptor, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		t.Fatal(err)
	}
	return b, interceptor
}

func invoke(ctx context.Context, conn *grpc.ClientConn) error {
	return conn.Invoke(ctx, unaryMethod, &emptypb.Empty{}, &emptypb.Empty{})
}

func follow(ctx context.Context, t *testing.T, conn *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, streamMethod)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg(&emptypb.Empty{}), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestClassifyCodes(t *testing.T) {
	want := map[breaker.Outcome][]codes.Code{
		breaker.Failure: {codes.Unavailable, codes.Internal, codes.Unknown, codes.DataLoss, codes.DeadlineExceeded},
		breaker.Neutral: {codes.Canceled, codes.Aborted, codes.Unimplemented, codes.ResourceExhausted},
		breaker.Success: {
			codes.OK, codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
			codes.Unauthenticated, codes.FailedPrecondition, codes.OutOfRange,
		},
	}
	known := 0
	for outcome, all := range want {
		for _, code := range all {
			known++
			if got := grpcbreaker.Classify(code); got != outcome {
				t.Errorf("%v is a %v, want %v", code, got, outcome)
			}
		}
	}
	if known != int(codes.Unauthenticated)+1 {
		t.Errorf("%d codes, want all", known)
	}
}

func TestUnaryFailuresOpenAndRejectionsDoNotReachTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{})
		served := 0
		conn := dial(t, &dependency{unary: func(context.Context) error {
			served++
			return status.Error(codes.Internal, "broken")
		}}, interceptor)
		for range 8 {
			_ = invoke(t.Context(), conn)
		}
		err := invoke(t.Context(), conn)
		if served != 5 || !breaker.IsRejected(err) || status.Code(err) != codes.Unavailable {
			t.Fatalf("%d calls served, then %v", served, err)
		}
		if s := b.Snapshot(); s.Calls.Failures != 5 || s.Calls.Rejected != 4 {
			t.Fatalf("%+v", s.Calls)
		}
	})
}

func TestDeadlinesAndCancellations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{ConsecutiveFailures: -1})
		conn := dial(t, &dependency{unary: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}, interceptor)
		late, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer stop()
		_ = invoke(late, conn)
		canceled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_ = invoke(canceled, conn)
		if calls := b.Snapshot().Calls; calls != (breaker.Calls{Neutral: 2}) {
			t.Fatalf("%+v, want the caller's doing neutral", calls)
		}
		hung, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_ = invoke(hung, conn)
		if calls := b.Snapshot().Calls; calls.Failures != 1 {
			t.Fatalf("%+v, want a deadline that passed to be a failure", calls)
		}
	})
}

func TestRetryHintsOpenTheBreaker(t *testing.T) {
	for name, answer := range map[string]func(context.Context) error{
		"RetryInfo": func(context.Context) error {
			st, _ := status.New(codes.ResourceExhausted, "quota").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(20 * time.Second)})
			return st.Err()
		},
		"pushback": func(ctx context.Context) error {
			_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", "20000"))
			return status.Error(codes.Unavailable, "overloaded")
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, interceptor := newGuard(t, breaker.Config{Jitter: -1})
			conn := dial(t, &dependency{unary: answer}, interceptor)
			_ = invoke(t.Context(), conn)
			if s := b.Snapshot(); s.State != breaker.Open || time.Until(s.RetryAt) != 20*time.Second {
				t.Errorf("%s: %v, next try in %v", name, s.State, time.Until(s.RetryAt))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{})
		conn := dial(t, &dependency{unary: func(ctx context.Context) error {
			_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", "-1"))
			return status.Error(codes.ResourceExhausted, "never retry this")
		}}, interceptor)
		_ = invoke(t.Context(), conn)
		if s := b.Snapshot(); s.State != breaker.Closed || s.Calls.Neutral != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A hint is a minimum: the open time must not be shorter than without it.
func TestShortRetryHintDoesNotShortenTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{Jitter: -1})
		conn := dial(t, &dependency{unary: func(ctx context.Context) error {
			_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", "10"))
			return status.Error(codes.Unavailable, "overloaded")
		}}, interceptor)
		for _, want := range []time.Duration{10 * time.Millisecond, 10 * time.Second, 20 * time.Second} {
			_ = invoke(t.Context(), conn)
			if s := b.Snapshot(); s.State != breaker.Open || time.Until(s.RetryAt) != want {
				t.Fatalf("%v, next try in %v, want %v", s.State, time.Until(s.RetryAt), want)
			}
			time.Sleep(want)
			synctest.Wait()
		}
	})
}

// The RetryInfo of a rejection that a server forwards is about a dependency of the server.
func TestForwardedRejectionDoesNotTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind, err := breaker.New(breaker.Config{Name: "behind"})
		if err != nil {
			t.Fatal(err)
		}
		behind.TripFor(time.Minute)
		b, interceptor := newGuard(t, breaker.Config{})
		conn := dial(t, &dependency{unary: func(ctx context.Context) error {
			_, err := behind.Allow(ctx)
			return err
		}}, interceptor)
		if err := invoke(t.Context(), conn); status.Code(err) != codes.Unavailable {
			t.Fatal(err)
		}
		if s := b.Snapshot(); s.State != breaker.Closed || s.Window.Failures != 1 {
			t.Fatalf("%+v, want one failure and no trip", s)
		}
	})
}

func TestStreamIsRecordedOnceHoweverItEnds(t *testing.T) {
	broken := func(stream grpc.ServerStream) error {
		_ = stream.SendMsg(&emptypb.Empty{})
		return status.Error(codes.Internal, "broke in the middle")
	}
	endless := func(stream grpc.ServerStream) error { <-stream.Context().Done(); return stream.Context().Err() }
	drain := func(stream grpc.ClientStream, _ context.CancelFunc) {
		for range 5 { // Beyond the end: it must not count again.
			_ = stream.RecvMsg(&emptypb.Empty{})
		}
	}
	for name, test := range map[string]struct {
		serve func(grpc.ServerStream) error
		use   func(grpc.ClientStream, context.CancelFunc)
		want  breaker.Calls
	}{
		"EOF":              {func(grpc.ServerStream) error { return nil }, drain, breaker.Calls{Successes: 1}},
		"failure midway":   {broken, drain, breaker.Calls{Failures: 1}},
		"cancel, no Recv":  {endless, func(_ grpc.ClientStream, cancel context.CancelFunc) { cancel() }, breaker.Calls{Neutral: 1}},
		"cancel, and Recv": {endless, func(s grpc.ClientStream, cancel context.CancelFunc) { cancel(); drain(s, nil) }, breaker.Calls{Neutral: 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, interceptor := newGuard(t, breaker.Config{})
			conn := dial(t, &dependency{stream: test.serve}, interceptor)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream := follow(ctx, t, conn)
			test.use(stream, cancel)
			synctest.Wait()
			if calls := b.Snapshot().Calls; calls != test.want {
				t.Errorf("%s: %+v, want %+v", name, calls, test.want)
			}
		})
	}
}

func TestFirstMessageOfAStreamClosesAHalfOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{})
		release := make(chan struct{})
		conn := dial(t, &dependency{
			unary: func(context.Context) error { return nil },
			stream: func(stream grpc.ServerStream) error {
				_ = stream.SendMsg(&emptypb.Empty{})
				<-release
				return status.Error(codes.Unavailable, "going away")
			},
		}, interceptor)
		b.TripFor(time.Second)
		time.Sleep(2 * time.Second)
		stream := follow(t.Context(), t, conn)
		if err := invoke(t.Context(), conn); !breaker.IsRejected(err) {
			t.Fatalf("a second probe passes: %v", err)
		}
		if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
			t.Fatal(err)
		}
		if err := invoke(t.Context(), conn); err != nil {
			t.Fatalf("the stream holds up other calls: %v", err)
		}
		close(release)
		if err := stream.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.Unavailable {
			t.Fatal(err)
		}
		if s := b.Snapshot(); s.State != breaker.Closed || s.Window.Failures != 1 {
			t.Fatalf("%+v, want the stream's end counted as one failure", s)
		}
	})
}

// A Watch without messages is confirmed by its header.
func TestHeaderOfAStreamClosesAHalfOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{})
		conn := dial(t, &dependency{stream: func(stream grpc.ServerStream) error {
			if err := stream.SendHeader(nil); err != nil {
				return err
			}
			<-stream.Context().Done()
			return nil
		}}, interceptor)
		b.TripFor(time.Second)
		time.Sleep(2 * time.Second)
		stream := follow(t.Context(), t, conn)
		if header, err := stream.Header(); err != nil || header == nil {
			t.Fatal(header, err)
		}
		if s := b.State(); s != breaker.Closed {
			t.Fatalf("%v, want closed by the header", s)
		}
	})
}

// Header returns nil for a stream that ends without one.
func TestMissingHeaderDoesNotConfirmTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{})
		conn := dial(t, &dependency{stream: func(grpc.ServerStream) error { return status.Error(codes.Internal, "broken") }}, interceptor)
		b.TripFor(time.Second)
		time.Sleep(2 * time.Second)
		stream := follow(t.Context(), t, conn)
		_, _ = stream.Header()
		_ = stream.RecvMsg(&emptypb.Empty{})
		if s := b.Snapshot(); s.Transitions[breaker.Closed] != 1 || s.State != breaker.Open {
			t.Fatalf("%+v, want the probe failed", s)
		}
	})
}

// The duration of a stream is no sign of health.
func TestLongStreamsAreNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{SlowCall: time.Second, SlowCallRate: 0.1, MinCalls: 1})
		conn := dial(t, &dependency{
			unary:  func(context.Context) error { time.Sleep(time.Second); return nil },
			stream: func(grpc.ServerStream) error { time.Sleep(10 * time.Second); return nil },
		}, interceptor)
		b.TripFor(time.Second)
		time.Sleep(2 * time.Second)
		for range 2 { // As a probe, and not.
			if err := follow(t.Context(), t, conn).RecvMsg(&emptypb.Empty{}); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			b.Observe(nil) // The probe timed out.
		}
		if s := b.Snapshot(); s.State != breaker.Closed || s.Calls.Slow != 0 {
			t.Fatalf("%+v, want no slow calls", s)
		}
		if err := invoke(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		if s := b.Snapshot(); s.State != breaker.Open || s.Calls.Slow != 1 {
			t.Fatalf("%+v, want a slow unary call", s)
		}
	})
}

type healthServer struct {
	healthpb.UnimplementedHealthServer
}

func TestHealthAndReflectionAreNotProtected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, interceptor := newGuard(t, breaker.Config{})
		conn := dial(t, &dependency{health: healthServer{}}, interceptor)
		b.ForceOpen("test")
		client := healthpb.NewHealthClient(conn)
		if _, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{}); status.Code(err) != codes.Unimplemented {
			t.Fatalf("Check: %v, want the server's own answer", err)
		}
		watch, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); status.Code(err) != codes.Unimplemented {
			t.Fatalf("Watch: %v, want the server's own answer", err)
		}
		if calls := b.Snapshot().Calls; calls != (breaker.Calls{}) {
			t.Fatalf("%+v, want nothing counted", calls)
		}
	})
}

func TestErrorOfAnInnerInterceptorIsRecorded(t *testing.T) {
	b, interceptor := newGuard(t, breaker.Config{})
	fails := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, io.ErrUnexpectedEOF
	}
	_, _ = interceptor.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, streamMethod, fails)
	func() {
		defer func() { _ = recover() }()
		panics := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			panic("boom")
		}
		_, _ = interceptor.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, streamMethod, panics)
	}()
	if calls := b.Snapshot().Calls; calls.Failures != 2 {
		t.Fatalf("%+v, want two failures", calls)
	}
}

// hostile is an error with a panicking Error method.
type hostile struct{ error }

func (hostile) Is(error) bool { panic("boom") }

func TestErrorThatPanicsIsRecorded(t *testing.T) {
	b, interceptor := newGuard(t, breaker.Config{})
	unary := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return hostile{} }
	stream := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, hostile{}
	}
	for _, run := range []func(){
		func() { _ = interceptor.UnaryClientInterceptor(t.Context(), unaryMethod, nil, nil, nil, unary) },
		func() {
			_, _ = interceptor.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, streamMethod, stream)
		},
	} {
		func() {
			defer func() { _ = recover() }()
			run()
		}()
	}
	if calls := b.Snapshot().Calls; calls.Failures != 2 {
		t.Fatalf("%+v, want two failures", calls)
	}
}

// gRPC ends a stream whose context is canceled in a goroutine of its own, where a panic ends the process.
func TestPanicOfClassifyAtTheEndOfAStreamIsAFailure(t *testing.T) {
	b, err := breaker.New(breaker.Config{Name: "dependency", MinDeadline: -1})
	if err != nil {
		t.Fatal(err)
	}
	interceptor, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b, Classify: func(codes.Code) breaker.Outcome { panic("boom") }})
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, &dependency{stream: func(s grpc.ServerStream) error { <-s.Context().Done(); return nil }}, interceptor)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, streamMethod); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	for b.Snapshot().Calls.Failures == 0 {
		time.Sleep(time.Millisecond)
	}
}

func TestBreakerForSeparatesMethods(t *testing.T) {
	group, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "inventory"}})
	if err != nil {
		t.Fatal(err)
	}
	interceptor, err := grpcbreaker.New(grpcbreaker.Config{BreakerFor: func(target, method string) *breaker.Breaker {
		if target != "passthrough:///x" || method == "/a/Unprotected" {
			return nil
		}
		return group.Get(method)
	}})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fails := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		return status.Error(codes.Internal, "broken")
	}
	for range 6 {
		_ = interceptor.UnaryClientInterceptor(t.Context(), "/a/Sick", nil, nil, conn, fails)
	}
	if err := interceptor.UnaryClientInterceptor(t.Context(), "/a/Sick", nil, nil, conn, fails); !breaker.IsRejected(err) {
		t.Fatal(err)
	}
	if err := interceptor.UnaryClientInterceptor(t.Context(), "/a/Well", nil, nil, conn, fails); breaker.IsRejected(err) {
		t.Fatal(err)
	}
	for range 7 {
		if err := interceptor.UnaryClientInterceptor(t.Context(), "/a/Unprotected", nil, nil, conn, fails); breaker.IsRejected(err) {
			t.Fatal(err)
		}
	}
}

func ExampleNew() {
	b, err := breaker.New(breaker.Config{Name: "upstream"})
	if err != nil {
		panic(err)
	}
	interceptor, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		panic(err)
	}
	options := append(interceptor.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient("passthrough:///upstream.example:50051", options...)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	b.ForceOpen("maintenance")
	err = conn.Invoke(context.Background(), "/inventory.v1.Inventory/Get", &emptypb.Empty{}, &emptypb.Empty{})
	fmt.Println(status.Code(err), breaker.IsRejected(err))
	_, err = grpcbreaker.New(grpcbreaker.Config{})
	fmt.Println(err)
	// Output:
	// Unavailable true
	// grpcbreaker: exactly one of Breaker and BreakerFor is required
}
