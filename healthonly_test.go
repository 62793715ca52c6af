package vitals_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/internal/logtest"
)

// Whoever can reach the health-only listener, which asks nobody who he is, must not be able to use up the file
// descriptors that the process needs for its work, and a probe gets through whatever crowd there is.
func TestIdleConnectionsMakeRoomForProbes(t *testing.T) {
	var addr string
	w := serve(t, func(c *vitals.Config) { addr = c.HealthGRPCAddr })
	check(t, w.plain, "", healthpb.HealthCheckResponse_SERVING)
	crowd := make([]net.Conn, 1100)
	var out atomic.Int64 // how many have been shown out
	var standing sync.WaitGroup
	for i := range crowd {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		crowd[i] = conn
		fmt.Fprint(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00") // a greeting, and no word more
		standing.Go(func() { _, _ = io.Copy(io.Discard, conn); out.Add(1) })
	}
	check(t, dial(t, addr), "", healthpb.HealthCheckResponse_SERVING)
	eventually(t, func() error {
		if n := out.Load(); n < 100 {
			return fmt.Errorf("%d of the crowd have been shown out, want 100", n)
		}
		return nil
	})
	for _, conn := range crowd { // who does not answer the server's farewell holds it up for five seconds
		conn.Close()
	}
	standing.Wait()
	w.end(t)
}

// everything is a logger that drops nothing, and what it has written.
func everything() (*slog.Logger, *logtest.Log) {
	log := new(logtest.Log)
	return slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.Level(-100)})), log
}

// Names of three megabytes, which gRPC lets pass, are answered, and neither kept nor logged.
func TestHugeNamesAreNeitherKeptNorLogged(t *testing.T) {
	log, lines := everything()
	w := serve(t, func(c *vitals.Config) { c.Logger = log })
	check(t, w.conn, "", healthpb.HealthCheckResponse_SERVING)
	huge := strings.Repeat("hunter2", 3<<20/7)
	refused := func(conn *grpc.ClientConn, ctx context.Context, name string, want codes.Code) {
		t.Helper()
		client := healthpb.NewHealthClient(conn)
		if _, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: name}); status.Code(err) != want || len(err.Error()) > 300 {
			t.Errorf("Check: %.300v, want %v", err, want)
		}
		if want == codes.NotFound {
			want = codes.InvalidArgument
		}
		stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{Service: name})
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != want || len(err.Error()) > 300 {
			t.Errorf("Watch: %.300v, want %v", err, want)
		}
	}
	refused(w.conn, t.Context(), huge, codes.NotFound)
	refused(w.plain, t.Context(), huge, codes.ResourceExhausted)
	long := metadata.AppendToOutgoingContext(t.Context(), "x-long", huge[:20<<10])
	if _, err := healthpb.NewHealthClient(w.plain).Check(long, &healthpb.HealthCheckRequest{}); err == nil {
		t.Error("a header of 20 KiB is accepted by the health-only listener")
	}
	for _, name := range w.Report().Names {
		if strings.Contains(name.Name, "hunter2") {
			t.Error("a stranger's name is in the report")
		}
	}
	w.end(t)
	if strings.Contains(lines.String(), "hunter2") {
		t.Error("a stranger's name is in the log")
	}
}

func TestHealthOnlyListenerServesUntilCallsHaveEnded(t *testing.T) {
	w := serve(t, nil)
	check(t, w.plain, "", healthpb.HealthCheckResponse_SERVING)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 100 { // they send no request
		if _, err := w.plain.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, healthpb.Health_Watch_FullMethodName); err != nil {
			t.Fatal(err)
		}
	}
	call, err := w.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, "/grpc.testing.TestService/EmptyCall") // in flight
	if err != nil {
		t.Fatal(err)
	}
	stream, err := healthpb.NewHealthClient(w.conn).Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	w.stop()
	for status.Code(err) != codes.Unavailable {
		_, err = stream.Recv()
	}
	for range 20 { // Watch streams have ended, so GracefulStop waits for the call
		time.Sleep(10 * time.Millisecond)
		check(t, w.plain, "liveness", healthpb.HealthCheckResponse_SERVING)
	}
	if err := errors.Join(call.SendMsg(new(testpb.Empty)), call.CloseSend(), call.RecvMsg(new(testpb.Empty))); err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	w.end(t)
}
