package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	provider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// ends are the ways in which a handler of the test ends, by the word that the caller sends.
var ends = map[string]func(context.Context) error{
	"ok": func(context.Context) error { return nil },
	"wrapped": func(context.Context) error {
		return fmt.Errorf("placing: %w", status.Error(codes.NotFound, "no such item"))
	},
	"plain":             func(context.Context) error { return errors.New("something") },
	"deadline":          func(context.Context) error { return context.DeadlineExceeded },
	"cancelled":         func(context.Context) error { return context.Canceled },
	"wrapped deadline":  func(context.Context) error { return fmt.Errorf("asking: %w", context.DeadlineExceeded) },
	"wrapped cancelled": func(context.Context) error { return fmt.Errorf("asking: %w", context.Canceled) },
	"end of file":       func(context.Context) error { return io.EOF },
	"panic":             func(context.Context) error { panic("test") },
	"odd code":          func(context.Context) error { return status.Error(99, "") },
	"patient":           func(ctx context.Context) error { <-ctx.Done(); return nil },
}

// end ends a handler as its caller wishes: by a word, or with a code by its number.
func end(ctx context.Context) error {
	how := metadata.ValueFromIncomingContext(ctx, "end")[0]
	if code, err := strconv.Atoi(how); err == nil {
		return status.Error(codes.Code(code), "")
	}
	return ends[how](ctx)
}

type testServer struct {
	testpb.UnimplementedTestServiceServer
}

func (testServer) UnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{}, end(ctx)
}

func (testServer) StreamingInputCall(stream testpb.TestService_StreamingInputCallServer) error {
	for range 2 { // of three: the third one stays unread
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
	if err := end(stream.Context()); err != nil {
		return err
	}
	return stream.SendAndClose(&testpb.StreamingInputCallResponse{})
}

func (testServer) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, stream testpb.TestService_StreamingOutputCallServer) error {
	for range 5 {
		if err := stream.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	return end(stream.Context())
}

func (testServer) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	for {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return end(stream.Context())
		}
		if err == nil {
			err = stream.Send(&testpb.StreamingOutputCallResponse{})
		}
		if err != nil {
			return err
		}
	}
}

// sides are the two exporters on one server and its client.
type sides struct {
	ours, theirs *prometheus.Registry
	server       *grpc.Server
	conn         *grpc.ClientConn
}

// together starts a server whose calls both exporters see, ours first, with its recovery. If initialised, every
// series is there from the start.
func together(t *testing.T, initialised bool) *sides {
	t.Helper()
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	collector, err := promvitals.New(promvitals.Config{Recorder: recorder, AllCodes: initialised})
	if err != nil {
		t.Fatal(err)
	}
	metrics := provider.NewServerMetrics(provider.WithServerHandlingTimeHistogram())
	calls := provider.NewClientMetrics(provider.WithClientHandlingTimeHistogram())
	s := &sides{ours: prometheus.NewRegistry(), theirs: prometheus.NewRegistry()}
	s.ours.MustRegister(collector)
	s.theirs.MustRegister(metrics, calls)

	s.server = grpc.NewServer(append(recorder.ServerOptions(),
		grpc.ChainUnaryInterceptor(metrics.UnaryServerInterceptor()), grpc.ChainStreamInterceptor(metrics.StreamServerInterceptor()),
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return status.Error(codes.Unimplemented, "") }),
	)...)
	testpb.RegisterTestServiceServer(s.server, testServer{})
	if initialised {
		metrics.InitializeMetrics(s.server)
	} else {
		healthpb.RegisterHealthServer(s.server, health.NewServer())
	}
	recorder.Register(s.server)
	lis := bufconn.Listen(1 << 20)
	go func() { _ = s.server.Serve(lis) }()
	t.Cleanup(s.server.Stop)

	s.conn, err = grpc.NewClient("passthrough:bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(recorder.UnaryClientInterceptor, calls.UnaryClientInterceptor()),
		grpc.WithChainStreamInterceptor(recorder.StreamClientInterceptor, calls.StreamClientInterceptor()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.conn.Close() })
	return s
}

// call makes one call of each type that ends so, and reads each to its end.
func (s *sides) call(t *testing.T, how string) {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "end", how)
	client := testpb.NewTestServiceClient(s.conn)
	_, _ = client.UnaryCall(ctx, &testpb.SimpleRequest{})

	input, err := client.StreamingInputCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_ = input.Send(&testpb.StreamingInputCallRequest{}) // may have ended
	}
	_, _ = input.CloseAndRecv()

	output, err := client.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{})
	for err == nil {
		_, err = output.Recv()
	}
	duplex, err := client.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if err := duplex.Send(&testpb.StreamingOutputCallRequest{}); err != nil {
			t.Fatal(err)
		}
		if _, err := duplex.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	_ = duplex.CloseSend()
	for err == nil {
		_, err = duplex.Recv()
	}
}

// series returns every series of the families that begin with prefix, once all calls have ended. Of a histogram it has
// the bounds and the count: two stopwatches never agree on the rest.
func series(t *testing.T, registry *prometheus.Registry, prefix string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), prefix) {
			continue
		}
		for _, m := range family.GetMetric() {
			var name strings.Builder
			fmt.Fprintf(&name, "%s %s", family.GetName(), family.GetType())
			for _, label := range m.GetLabel() {
				fmt.Fprintf(&name, " %s=%q", label.GetName(), label.GetValue())
			}
			if h := m.GetHistogram(); h != nil {
				found[name.String()] = float64(h.GetSampleCount())
				for _, bucket := range h.GetBucket() {
					found[fmt.Sprintf("%s le=%v", name.String(), bucket.GetUpperBound())] = 0
				}
				continue
			}
			found[name.String()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return found
}

// differences lists the series in which two pages differ. Series that stay at zero count as missing unless exact.
func differences(theirs, ours map[string]float64, exact bool) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if got, found := ours[name]; !found || got != theirs[name] {
			list = append(list, fmt.Sprintf("%s: %v, the provider has %v (found: %v)", name, got, theirs[name], found))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		_, found := theirs[name]
		own := strings.Contains(name, "_in_flight ") || strings.Contains(name, "_panics_total ")
		if !found && !own && (exact || ours[name] != 0) {
			list = append(list, fmt.Sprintf("%s: %v, the provider has none", name, ours[name]))
		}
	}
	return list
}

func TestSeriesAreThoseOfTheProvider(t *testing.T) {
	intended := []string{"panic", "odd code", "patient"} // see TestDifferencesAreIntended
	for _, initialised := range []bool{true, false} {
		t.Run(fmt.Sprintf("initialised %v", initialised), func(t *testing.T) {
			s := together(t, initialised)
			hows := slices.DeleteFunc(slices.Sorted(maps.Keys(ends)), func(how string) bool { return slices.Contains(intended, how) })
			for code := range interceptor.NumCodes {
				hows = append(hows, strconv.Itoa(code))
			}
			for i, how := range hows {
				for range 1 + i%3 { // so that codes differ in how often they came
					s.call(t, how)
				}
			}
			s.server.GracefulStop()
			theirs, ours := series(t, s.theirs, "grpc_server_"), series(t, s.ours, "grpc_server_")
			if len(theirs) < 100 {
				t.Errorf("the provider has only %d series: nothing was compared", len(theirs))
			}
			for _, d := range differences(theirs, ours, initialised) {
				t.Error(d)
			}
			// A client has no InitializeMetrics, and hence nothing at zero.
			for _, d := range differences(series(t, s.theirs, "grpc_client_"), series(t, s.ours, "grpc_client_"), false) {
				t.Error(d)
			}
		})
	}
}

func TestDifferencesAreIntended(t *testing.T) {
	const handled = `grpc_server_handled_total COUNTER grpc_code=%q grpc_method="UnaryCall" grpc_service="grpc.testing.TestService" grpc_type="unary"`
	unary := func(timeout time.Duration, cancelled bool, how string) func(*testing.T, *sides) {
		return func(t *testing.T, s *sides) {
			ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "end", how), timeout)
			defer cancel()
			if cancelled {
				time.AfterFunc(50*time.Millisecond, cancel)
			}
			_, _ = testpb.NewTestServiceClient(s.conn).UnaryCall(ctx, &testpb.SimpleRequest{})
		}
	}
	for _, test := range []struct {
		name         string
		call         func(*testing.T, *sides)
		theirs, ours string // the series that only one of them counts; empty for none
	}{
		{"a panic has an end", unary(time.Minute, false, "panic"), "", fmt.Sprintf(handled, "Internal")},
		{"the caller has gone", unary(time.Minute, true, "patient"), fmt.Sprintf(handled, "OK"), fmt.Sprintf(handled, "Canceled")},
		{"the deadline has come", unary(300*time.Millisecond, false, "patient"), fmt.Sprintf(handled, "OK"), fmt.Sprintf(handled, "DeadlineExceeded")},
		{"an unknown code", unary(time.Minute, false, "odd code"), fmt.Sprintf(handled, "Code(99)"), fmt.Sprintf(handled, "Unknown")},
		{
			"an unregistered name", func(t *testing.T, s *sides) {
				_ = s.conn.Invoke(t.Context(), "/made.up.Service/Method", &testpb.Empty{}, &testpb.Empty{})
			},
			`grpc_server_handled_total COUNTER grpc_code="Unimplemented" grpc_method="Method" grpc_service="made.up.Service" grpc_type="bidi_stream"`,
			`grpc_server_handled_total COUNTER grpc_code="Unimplemented" grpc_method="other" grpc_service="other" grpc_type="bidi_stream"`,
		},
		{
			"a probe", func(t *testing.T, s *sides) {
				_, _ = healthpb.NewHealthClient(s.conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
			},
			`grpc_server_handled_total COUNTER grpc_code="OK" grpc_method="Check" grpc_service="grpc.health.v1.Health" grpc_type="unary"`, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var theirs, ours map[string]float64
			synctest.Test(t, func(t *testing.T) { // callers go once their handlers wait for it
				s := together(t, false)
				test.call(t, s)
				s.server.GracefulStop()
				theirs, ours = series(t, s.theirs, "grpc_server_handled"), series(t, s.ours, "grpc_server_handled")
			})
			for name, n := range ours {
				if n != 0 && name != test.ours {
					t.Errorf("we have %s %v", name, n)
				}
			}
			for name, n := range theirs {
				if n != 0 && name != test.theirs {
					t.Errorf("the provider has %s %v", name, n)
				}
			}
			if (test.ours != "" && ours[test.ours] != 1) || (test.theirs != "" && theirs[test.theirs] != 1) {
				t.Errorf("ours: %v, theirs: %v", ours, theirs)
			}
		})
	}
}
