package vitals_test

import (
	"net"
	"os"
	"testing"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals"
)

// TestSecondServeLeavesFirstAlone calls Serve and Run of a Health that serves already.
func TestSecondServeLeavesFirstAlone(t *testing.T) {
	w := serve(t, func(cfg *vitals.Config) { cfg.HTTPAddr, cfg.HealthGRPCAddr = "", "" })
	check(t, w.conn, "readiness", healthpb.HealthCheckResponse_SERVING)
	eventually(t, func() error { _, err := os.Stat(w.file); return err })
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Serve": w.Serve(t.Context(), grpc.NewServer(), lis),
		"Run":   w.Run(t.Context()),
	} {
		if err == nil {
			t.Errorf("a second %s is accepted", name)
		}
	}
	if _, err := lis.Accept(); err == nil {
		t.Error("the second listener is left open")
	}
	if err := w.Serve(t.Context(), grpc.NewServer(), w.lis); err == nil {
		t.Error("a second Serve with the same listener is accepted")
	}
	another := dial(t, w.lis.Addr().String())
	check(t, another, "readiness", healthpb.HealthCheckResponse_SERVING)
	if _, err := os.Stat(w.file); err != nil {
		t.Error(err)
	}
	w.end(t)
}
