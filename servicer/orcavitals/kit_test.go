package orcavitals_test

import (
	"context"
	"log/slog"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine is a fake machine with one CPU and 1000 bytes of memory.
type machine struct {
	mu     sync.Mutex
	busy   float64 // share of the CPU in use from now on
	used   float64 // CPU seconds used until then
	since  time.Time
	memory uint64
	err    error
	hang   chan struct{} // CPU waits for it unless it is nil
}

func newMachine() *machine { return &machine{since: time.Now(), memory: 250} }

// set changes the machine.
func (m *machine) set(change func(*machine)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.used += m.busy * now.Sub(m.since).Seconds()
	m.since = now
	change(m)
}

func (m *machine) CPU() (used, passed float64, err error) {
	m.mu.Lock()
	hang, err := m.hang, m.err
	used = m.used + m.busy*time.Since(m.since).Seconds()
	m.mu.Unlock()
	if hang != nil {
		<-hang
	}
	return used, float64(time.Now().UnixMicro()) / 1e6, err
}

func (m *machine) Memory() (float64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return float64(m.memory) / 1000, m.err
}

// tests implements gRPC's test service. A request for n > 0 bytes fails with code n.
type tests struct {
	testpb.UnimplementedTestServiceServer

	handle func(context.Context) // runs first, unless it is nil
	code   atomic.Int32          // of calls without a size
}

func (s *tests) UnaryCall(ctx context.Context, request *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if s.handle != nil {
		s.handle(ctx)
	}
	if code := codes.Code(max(request.GetResponseSize(), s.code.Load())); code != codes.OK {
		return nil, status.Error(code, "requested")
	}
	return &testpb.SimpleResponse{}, nil
}

func (s *tests) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	_, _ = stream.Recv()
	return nil
}

// rig is a server with a Reporter and its client.
type rig struct {
	t        *testing.T
	machine  *machine
	recorder *interceptor.Recorder
	reporter *orcavitals.Reporter
	tests    *tests
	server   *grpc.Server
	client   *grpc.ClientConn
	lis      *bufconn.Listener
	log      *strings.Builder
	end      context.CancelFunc // ends Run
	ended    sync.WaitGroup
}

// start starts a server; change adapts its Config.
func start(t *testing.T, change func(*orcavitals.Config)) *rig {
	t.Helper()
	r := &rig{t: t, machine: newMachine(), tests: &tests{}, log: new(strings.Builder)}
	var err error
	if r.recorder, err = interceptor.New(interceptor.Config{}); err != nil {
		t.Fatal(err)
	}
	cfg := orcavitals.Config{
		Recorder: r.recorder,
		Logger:   slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	if r.reporter, err = orcavitals.NewOn(cfg, r.machine); err != nil {
		t.Fatal(err)
	}
	r.server = grpc.NewServer(append(r.reporter.ServerOptions(), r.recorder.ServerOptions()...)...)
	testpb.RegisterTestServiceServer(r.server, r.tests)
	r.reporter.Register(r.server)
	r.recorder.Register(r.server)
	client, lis := connect(t)
	r.client, r.lis = client, lis
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	r.end = end
	r.ended.Go(func() { _ = r.server.Serve(lis) })
	r.ended.Go(func() {
		if err := r.reporter.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// connect returns a client and the listener for its server.
func connect(t testing.TB) (*grpc.ClientConn, *bufconn.Listener) {
	t.Helper()
	lis := bufconn.Listen(1 << 16)
	client, err := grpc.NewClient("passthrough:///server", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	return client, lis
}

func (r *rig) stop() {
	r.client.Close()
	r.end()
	r.server.Stop()
	r.ended.Wait()
}

// call makes a call and returns the report in its trailer, nil if there is none.
func (r *rig) call(code codes.Code) *orcapb.OrcaLoadReport {
	r.t.Helper()
	var trailer metadata.MD
	_, err := testpb.NewTestServiceClient(r.client).UnaryCall(r.t.Context(),
		&testpb.SimpleRequest{ResponseSize: int32(code)}, grpc.Trailer(&trailer))
	if status.Code(err) != code {
		r.t.Fatalf("the call ended with %v, want %v", err, code)
	}
	return reportIn(r.t, trailer)
}

func (r *rig) wantLogged(text string, times int) {
	r.t.Helper()
	synctest.Wait()
	if n := strings.Count(r.log.String(), text); n != times {
		r.t.Errorf("%q was logged %d times, want %d:\n%s", text, n, times, r.log)
	}
}

func reportIn(t *testing.T, trailer metadata.MD) *orcapb.OrcaLoadReport {
	t.Helper()
	texts := trailer.Get("endpoint-load-metrics-bin")
	if len(texts) == 0 {
		return nil
	}
	report := new(orcapb.OrcaLoadReport)
	if err := proto.Unmarshal([]byte(texts[0]), report); err != nil || len(texts) != 1 {
		t.Fatalf("%d reports in %v: %v", len(texts), trailer, err)
	}
	return report
}

// want compares up to a thousandth, because clocks are read one after the other.
func want(t *testing.T, got, want *orcapb.OrcaLoadReport) {
	t.Helper()
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-3 }
	if got == nil || !near(got.CpuUtilization, want.CpuUtilization) || !near(got.MemUtilization, want.MemUtilization) ||
		!near(got.ApplicationUtilization, want.ApplicationUtilization) || !near(got.RpsFractional, want.RpsFractional) ||
		!near(got.Eps, want.Eps) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
