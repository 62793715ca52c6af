package vitals_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
)

// waiting serves a call when it is released.
type waiting struct {
	testpb.UnimplementedTestServiceServer

	began, release chan struct{}
}

func (w waiting) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	w.began <- struct{}{}
	<-w.release
	return new(testpb.Empty), nil
}

func TestMaxInFlightSparesHealth(t *testing.T) {
	t.Parallel()
	health, err := vitals.New(vitals.Config{MaxInFlight: 1, LoadReports: true, DrainDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	handler := waiting{began: make(chan struct{}), release: make(chan struct{})}
	server := grpc.NewServer(health.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, handler)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- health.Serve(ctx, server, lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	call := func() error {
		_, err := testpb.NewTestServiceClient(conn).EmptyCall(t.Context(), new(testpb.Empty))
		return err
	}
	first := make(chan error, 1)
	go func() { first <- call() }()
	<-handler.began
	for range 3 {
		if err := call(); status.Code(err) != codes.ResourceExhausted {
			t.Fatalf("a call beyond the limit: %v", err)
		}
		check(t, conn, "readiness", healthpb.HealthCheckResponse_SERVING)
	}
	eventually(t, func() error {
		report := health.Report()
		for name, want := range map[string]string{"requests_saturated": "3", "requests_in_flight": "1", "request_failures_total": "0"} {
			if m, _ := report.Metric(name); m == nil || m.Value != want {
				return fmt.Errorf("%s: %+v, want %s", name, m, want)
			}
		}
		return nil
	})
	close(handler.release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
