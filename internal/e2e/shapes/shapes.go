package shapes

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // health checks by clients
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
)

// Shape is one way to serve a Fixture.
type Shape struct {
	Name string
	// Serve starts to serve.
	Serve func(t *testing.T, f *Fixture) Served
}

// Served is a server that runs.
type Served struct {
	Target  string
	Options []grpc.DialOption // default: without TLS
	// Stop begins the end and returns once everything has ended.
	Stop func() error
}

// Run is a Serve for code that returns when its context is done.
func Run(t *testing.T, target string, run func(context.Context) error, options ...grpc.DialOption) Served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	return Served{Target: target, Options: options, Stop: func() error {
		cancel()
		return <-ended
	}}
}

// healthConfig makes a client check the health of the service before it sends calls.
const healthConfig = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":"` + ServiceName + `"}}`

// Test serves a Fixture in the shape s and tests every column of the table.
func Test(t *testing.T, s Shape, change ...func(*vitals.Config)) {
	t.Helper()
	f := New(t, change...)
	served := s.Serve(t, f)
	if served.Options == nil {
		served.Options = []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	}
	conn, err := grpc.NewClient(served.Target, append(served.Options, grpc.WithDefaultServiceConfig(healthConfig))...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := &columns{t: t, f: f, conn: conn, ctx: ctx}
	c.check()
	watch := c.watch()
	c.countsAndPanics()
	c.drain(watch, served.Stop)
	c.logs()
}

type columns struct {
	t    *testing.T
	f    *Fixture
	conn *grpc.ClientConn
	ctx  context.Context //nolint:containedctx // of the test
}

// check makes Check without credentials.
func (c *columns) check() {
	c.t.Helper()
	for _, name := range []string{"", "readiness", ServiceName, "stock"} {
		var response *healthpb.HealthCheckResponse
		var err error
		for response.GetStatus() != healthpb.HealthCheckResponse_SERVING && c.ctx.Err() == nil {
			response, err = healthpb.NewHealthClient(c.conn).Check(c.ctx, &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
			if err != nil && status.Code(err) != codes.NotFound { // the services of a plugin are known at the first call
				break
			}
		}
		if response.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			c.t.Fatalf("Check(%q): %v, %v; log:\n%s", name, response, err, c.f.Log)
		}
	}
}

func (c *columns) watch() healthpb.Health_WatchClient {
	c.t.Helper()
	watch, err := healthpb.NewHealthClient(c.conn).Watch(c.ctx, &healthpb.HealthCheckRequest{Service: ServiceName})
	if err != nil {
		c.t.Fatal(err)
	}
	if response, err := watch.Recv(); err != nil || response.Status != healthpb.HealthCheckResponse_SERVING {
		c.t.Fatalf("Watch: %v, %v", response, err)
	}
	return watch
}

// authorized is the context of calls of the service.
func (c *columns) authorized() context.Context {
	return metadata.AppendToOutgoingContext(c.ctx, "authorization", Token)
}

func (c *columns) unary(code codes.Code) {
	c.t.Helper()
	request := &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(code)}} //nolint:gosec // at most 16
	_, err := testpb.NewTestServiceClient(c.conn).UnaryCall(c.authorized(), request)
	want := code
	if code == codes.Aborted {
		want = codes.Internal
	}
	c.expect("UnaryCall", err, want)
}

func (c *columns) stream(panics bool) {
	c.t.Helper()
	request, want := &testpb.StreamingOutputCallRequest{}, codes.OK
	if panics {
		request.ResponseParameters, want = []*testpb.ResponseParameters{{Size: 1}}, codes.Internal
	}
	stream, err := testpb.NewTestServiceClient(c.conn).StreamingOutputCall(c.authorized(), request)
	for err == nil {
		_, err = stream.Recv()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	c.expect("StreamingOutputCall", err, want)
}

func (c *columns) expect(method string, err error, want codes.Code) {
	c.t.Helper()
	if status.Code(err) != want {
		c.t.Errorf("%s: %v, want %v", method, err, want)
	}
	if err != nil && strings.Contains(err.Error(), Secret) {
		c.t.Errorf("%s: the caller sees the panic: %v", method, err)
	}
}

// countsAndPanics makes calls of each kind and compares what the recorder has counted.
func (c *columns) countsAndPanics() {
	c.t.Helper()
	for _, code := range []codes.Code{codes.OK, codes.OK, codes.NotFound, codes.Unavailable, codes.Aborted} {
		c.unary(code)
	}
	c.stream(false)
	c.stream(true)
	_, err := testpb.NewTestServiceClient(c.conn).EmptyCall(c.ctx, &testpb.Empty{}) // without credentials
	rejected := status.Code(err) == codes.Unauthenticated
	if err != nil && !rejected {
		c.t.Errorf("EmptyCall: %v", err)
	}
	// A call ends for its client before the recorder has counted it.
	for c.f.Health.Recorder().Server().Total.Handled < 8 && c.ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	total := c.f.Health.Recorder().Server().Total
	if total.Handled != 8 || total.Failures != 3 || total.Panics != 2 {
		c.t.Errorf("recorded %d calls, %d failures, %d panics; want 8, 3, 2", total.Handled, total.Failures, total.Panics)
	}
}

// drain stops the server while a call is in flight.
func (c *columns) drain(watch healthpb.Health_WatchClient, stop func() error) {
	c.t.Helper()
	inFlight := make(chan error, 1)
	go func() {
		_, err := testpb.NewTestServiceClient(c.conn).UnaryCall(c.authorized(), &testpb.SimpleRequest{ResponseSize: 1})
		inFlight <- err
	}()
	<-c.f.service.inFlight
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	if response, err := watch.Recv(); err != nil || response.Status != healthpb.HealthCheckResponse_NOT_SERVING {
		c.t.Errorf("Watch during the drain: %v, %v; want NOT_SERVING", response, err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		c.t.Errorf("Watch at the end: %v, want UNAVAILABLE", err)
	}
	close(c.f.service.release)
	if err := <-inFlight; err != nil {
		c.t.Errorf("call in flight: %v", err)
	}
	if err := <-stopped; err != nil {
		c.t.Errorf("the end: %v", err)
	}
}

// logs expects each panic once, with its stack, and no warning about the server.
func (c *columns) logs() {
	c.t.Helper()
	log := c.f.Log.String()
	if n := strings.Count(log, "gRPC handler panicked"); n != 2 {
		c.t.Errorf("%d panics logged, want 2:\n%s", n, log)
	}
	if n := strings.Count(log, "fixture.go"); n < 2 {
		c.t.Errorf("the log lacks the stacks of the panics:\n%s", log)
	}
	for _, word := range []string{"ServerOptions", "not a registered service", "rejected by"} {
		if strings.Contains(log, word) {
			c.t.Errorf("log has a warning:\n%s", log)
		}
	}
}
