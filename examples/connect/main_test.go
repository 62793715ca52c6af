package main

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started is a server and a gRPC client of it.
type started struct {
	*vitals.Health

	addr string
	conn *grpc.ClientConn
	stop context.CancelFunc
	end  chan error
}

func start(t *testing.T) *started {
	t.Helper()
	health, err := vitals.New(vitals.Config{
		DrainDelay: 200 * time.Millisecond, Server: servicer.Config{Services: []string{inventory}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s := &started{Health: health, addr: lis.Addr().String(), conn: conn, stop: stop, end: make(chan error, 1)}
	go func() { s.end <- serve(ctx, health, lis) }()
	t.Cleanup(func() {
		stop()
		conn.Close()
	})
	return s
}

func (s *started) watch(t *testing.T, name string, want healthpb.HealthCheckResponse_ServingStatus) healthpb.Health_WatchClient {
	t.Helper()
	watch, err := healthpb.NewHealthClient(s.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, watch, want)
	return watch
}

func expect(t *testing.T, watch healthpb.Health_WatchClient, want healthpb.HealthCheckResponse_ServingStatus) {
	t.Helper()
	if got, err := watch.Recv(); err != nil || got.Status != want {
		t.Errorf("the watch receives %v, %v, want %v", got, err, want)
	}
}

func TestCheckAndWatchHaveTheStatusesOfVitals(t *testing.T) {
	s := start(t)
	orders, unknown := s.watch(t, inventory, healthpb.HealthCheckResponse_SERVING), s.watch(t, "other", healthpb.HealthCheckResponse_SERVICE_UNKNOWN)
	client := healthpb.NewHealthClient(s.conn)
	if got, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: inventory}); err != nil || got.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("Check: %v, %v", got, err)
	}
	if _, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "other"}); status.Code(err) != codes.NotFound {
		t.Errorf("Check of an unknown name: %v", err)
	}
	s.Server().SetServingStatus(inventory, healthpb.HealthCheckResponse_NOT_SERVING)
	expect(t, orders, healthpb.HealthCheckResponse_NOT_SERVING)
	s.Server().SetServingStatus("other", healthpb.HealthCheckResponse_SERVING)
	expect(t, unknown, healthpb.HealthCheckResponse_SERVING)
	s.stop()
	if err := <-s.end; err != nil {
		t.Error(err)
	}
}

func TestCallsAreRecorded(t *testing.T) {
	s := start(t)
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	client := connect.NewClient[inventoryv1.GetRequest, inventoryv1.GetResponse](
		&http.Client{Transport: transport}, "http://"+s.addr+"/"+inventory+"/Get", connect.WithProtoJSON())
	for sku, want := range map[string]connect.Code{"pen": 0, "": connect.CodeInvalidArgument} {
		_, err := client.CallUnary(t.Context(), connect.NewRequest(&inventoryv1.GetRequest{Sku: sku}))
		if (err != nil) != (want != 0) || err != nil && connect.CodeOf(err) != want {
			t.Errorf("Get of %q: %v", sku, err)
		}
	}
	for _, m := range s.Recorder().Server().Methods {
		if m.Service == inventory && (m.Name != "Get" || m.Type != interceptor.Other || m.Total.Handled != 2 ||
			m.Total.ByCode(codes.InvalidArgument) != 1 || m.Total.ByCode(codes.OK) != 1) {
			t.Errorf("recorded %s: %+v", m.Name, m.Total)
		}
	}
	response, err := http.Get("http://" + s.addr + "/ready")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("/ready: %d", response.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	s.stop()
	if err := <-s.end; err != nil {
		t.Error(err)
	}
}

func TestDrainEndsWatchesAndLosesNoCall(t *testing.T) {
	s := start(t)
	watch, unknown := s.watch(t, "", healthpb.HealthCheckResponse_SERVING), s.watch(t, "other", healthpb.HealthCheckResponse_SERVICE_UNKNOWN)
	call, err := s.conn.NewStream(t.Context(), &grpc.StreamDesc{}, "/"+inventory+"/Get") // its request comes later
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	for _, w := range []healthpb.Health_WatchClient{watch, unknown} {
		expect(t, w, healthpb.HealthCheckResponse_NOT_SERVING)
		if _, err := w.Recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("the watch ends with %v, want UNAVAILABLE", err)
		}
	}
	select {
	case err := <-s.end:
		t.Fatalf("the end during a call: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	var response inventoryv1.GetResponse
	if err := call.SendMsg(&inventoryv1.GetRequest{Sku: "pen"}); err != nil {
		t.Fatal(err)
	}
	if err := call.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := call.RecvMsg(&response); err != nil || response.Item.Sku != "pen" {
		t.Errorf("the call in flight: %v, %v", &response, err)
	}
	if err := <-s.end; err != nil {
		t.Error(err)
	}
}
