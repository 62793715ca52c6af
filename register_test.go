package vitals_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

// registrar is what Register needs, as xds.GRPCServer has it, and no *grpc.Server.
type registrar struct{ inner *grpc.Server }

func (r registrar) RegisterService(desc *grpc.ServiceDesc, service any) {
	r.inner.RegisterService(desc, service)
}
func (r registrar) GetServiceInfo() map[string]grpc.ServiceInfo { return r.inner.GetServiceInfo() }

// statusOf returns the status of name in the process.
func statusOf(t *testing.T, h *vitals.Health, name string) string {
	t.Helper()
	response, err := h.Server().Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	if err != nil {
		return err.Error()
	}
	return response.Status.String()
}

// running calls Run until the test ends.
func running(t *testing.T, h *vitals.Health) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- h.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func gate(name string, gates ...string) checker.Check {
	return checker.Check{Name: name, Run: func(context.Context) error { return errors.New("down") }, Gates: gates}
}

func TestRegisterMakesServicesOfEachServerKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		h := newHealth(t, vitals.Config{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Checks: []checker.Check{gate("index", "grpc.testing.TestService"), gate("stock", "grpc.testing.ReconnectService")},
		})
		first, second := grpc.NewServer(h.ServerOptions()...), grpc.NewServer(h.ServerOptions()...)
		testpb.RegisterTestServiceServer(first, echo{})
		testpb.RegisterReconnectServiceServer(second, testpb.UnimplementedReconnectServiceServer{})
		testpb.RegisterLoadBalancerStatsServiceServer(second, testpb.UnimplementedLoadBalancerStatsServiceServer{})
		h.Register(first)
		h.Register(registrar{second})
		end := running(t, h)
		synctest.Wait()
		for name, want := range map[string]string{
			"":                                      "SERVING",
			"grpc.testing.TestService":              "NOT_SERVING",
			"grpc.testing.ReconnectService":         "NOT_SERVING",
			"grpc.testing.LoadBalancerStatsService": "SERVING",
		} {
			if got := statusOf(t, h, name); got != want {
				t.Errorf("%q is %v, want %v", name, got, want)
			}
		}
		end()
		if strings.Contains(log.String(), "not a registered service") {
			t.Errorf("log of gates that fit:\n%s", log.String())
		}
	})
}

func TestRegisterTwiceChangesNothing(t *testing.T) {
	h := newHealth(t, vitals.Config{})
	server := grpc.NewServer(h.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, echo{})
	h.Register(server)
	h.Register(server)
	if got := statusOf(t, h, "grpc.testing.TestService"); got != "SERVING" {
		t.Errorf("status = %v", got)
	}
}

func TestRunLogsGateOfUnknownService(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var log logtest.Log
			h := newHealth(t, vitals.Config{
				Logger: slog.New(slog.NewTextHandler(&log, nil)), Checks: []checker.Check{gate("index", "grpc.testing.TestServise")},
			})
			server := grpc.NewServer(h.ServerOptions()...)
			testpb.RegisterTestServiceServer(server, echo{})
			if !late {
				h.Register(server)
			}
			end := running(t, h)
			synctest.Wait()
			if late {
				h.Register(server)
			}
			time.Sleep(time.Minute)
			end()
			want := `level=ERROR msg="check gates a name that is not a registered service" vitals.logger=plugin.health vitals.check=index vitals.gate=grpc.testing.TestServise`
			if got := log.String(); strings.Count(got, want) != 1 {
				t.Errorf("late=%v: log = %s, want once %s", late, got, want)
			}
		})
	}
}

func TestRunLogsGateWithoutAnyServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		h := newHealth(t, vitals.Config{
			Logger: slog.New(slog.NewTextHandler(&log, nil)), Checks: []checker.Check{gate("index", "orders")},
		})
		end := running(t, h)
		time.Sleep(time.Minute)
		end()
		if got := log.String(); strings.Count(got, "vitals.gate=orders") != 1 {
			t.Errorf("log = %s", got)
		}
	})
}

func TestRunLogsUnknownGateOfAddedCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		h := newHealth(t, vitals.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		server := grpc.NewServer(h.ServerOptions()...)
		testpb.RegisterTestServiceServer(server, echo{})
		h.Register(server)
		end := running(t, h)
		for _, name := range []string{"index", "stock"} {
			if err := h.Checker().Add(gate(name, "orders")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		end()
		for _, want := range []string{"vitals.check=index vitals.gate=orders", "vitals.check=stock vitals.gate=orders"} {
			if got := log.String(); strings.Count(got, want) != 1 {
				t.Errorf("log = %s, want once %s", got, want)
			}
		}
	})
}

func TestRegisterLogsServiceWithTheNameOfACheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		h := newHealth(t, vitals.Config{
			Logger: slog.New(slog.NewTextHandler(&log, nil)), Checks: []checker.Check{gate("grpc.testing.TestService")},
		})
		server := grpc.NewServer(h.ServerOptions()...)
		testpb.RegisterTestServiceServer(server, echo{})
		testpb.RegisterReconnectServiceServer(server, testpb.UnimplementedReconnectServiceServer{})
		h.Register(server)
		synctest.Wait()
		if got := log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, `check \"grpc.testing.TestService\" has the name of a service`) {
			t.Errorf("log = %s", got)
		}
	})
}

func TestServeAllServesSeveralServersWithOneHealth(t *testing.T) {
	h := newHealth(t, vitals.Config{DrainDelay: -1})
	var endpoints []servicer.Endpoint
	for i := range 2 {
		server := grpc.NewServer(h.ServerOptions()...)
		if i == 0 {
			testpb.RegisterTestServiceServer(server, echo{})
		} else {
			testpb.RegisterReconnectServiceServer(server, testpb.UnimplementedReconnectServiceServer{})
		}
		lis, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		endpoints = append(endpoints, servicer.Endpoint{Server: server, Listener: lis})
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.ServeAll(ctx, endpoints...) }()
	for _, e := range endpoints {
		conn := dial(t, e.Listener.Addr().String())
		for _, name := range []string{"", "grpc.testing.TestService", "grpc.testing.ReconnectService"} {
			response, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
			if err != nil || response.Status != isServing {
				t.Errorf("Check(%q) at %v: %v, %v", name, e.Listener.Addr(), response, err)
			}
		}
	}
	if _, err := testpb.NewTestServiceClient(dial(t, endpoints[0].Listener.Addr().String())).EmptyCall(t.Context(), &testpb.Empty{}); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("ServeAll: %v", err)
	}
	if n := h.Recorder().Server().Total.Handled; n != 1 {
		t.Errorf("%d calls recorded, want 1", n)
	}
}

func TestServeWithoutServerIsAnError(t *testing.T) {
	lis, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := newHealth(t, vitals.Config{})
	for name, err := range map[string]error{
		"no server":   h.Serve(t.Context(), nil, lis),
		"no listener": h.Serve(t.Context(), grpc.NewServer(), nil),
	} {
		if err == nil || !strings.Contains(err.Error(), "vitals: ") && !strings.Contains(err.Error(), "servicer: ") {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if _, err := lis.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}
