package vitals_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
)

// TestRejectForKeepsDirectCallersAway calls a server in maintenance: rejections are no failures of its handlers.
func TestRejectForKeepsDirectCallersAway(t *testing.T) {
	w := serve(t, func(cfg *vitals.Config) { cfg.Server.RejectFor = []checker.Reason{checker.ReasonMaintenance} })
	check(t, w.conn, "readiness", healthpb.HealthCheckResponse_SERVING)
	call := func() error {
		_, err := testpb.NewTestServiceClient(w.conn).EmptyCall(t.Context(), new(testpb.Empty))
		return err
	}
	if err := call(); err != nil {
		t.Fatal(err)
	}
	if err := w.Server().SetMaintenance("", "a new database", time.Minute); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := call(); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "a new database") {
			t.Fatalf("got %v, want UNAVAILABLE with the reason", err)
		}
	}
	check(t, w.conn, "readiness", healthpb.HealthCheckResponse_NOT_SERVING)
	w.Server().EndMaintenance("")
	if err := call(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		report := w.Report()
		for name, want := range map[string]string{"requests_rejected": "3", "requests_total": "2", "request_failures_total": "0"} {
			if m, _ := report.Metric(name); m == nil || m.Value != want {
				return status.Errorf(codes.Unknown, "%s: %+v, want %s", name, m, want)
			}
		}
		return nil
	})
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}
