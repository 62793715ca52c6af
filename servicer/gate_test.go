package servicer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

const (
	placeOrder  = "/shop.v1.Orders/Place"
	followCarts = "/shop.v1.Carts/Follow"
)

// gated calls through the gate as grpc-go does.
func gated(s *servicer.Server, method string) error {
	_, err := s.UnaryGateInterceptor(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: method},
		func(context.Context, any) (any, error) { return nil, nil })
	if errStream := s.StreamGateInterceptor(nil, nil, &grpc.StreamServerInfo{FullMethod: method}, func(any, grpc.ServerStream) error { return nil }); status.Code(err) != status.Code(errStream) {
		return errors.New("unary and stream differ")
	}
	return err
}

func expectPass(t *testing.T, s *servicer.Server, methods ...string) {
	t.Helper()
	for _, method := range methods {
		if err := gated(s, method); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// expectRejected returns after which time the calls may be retried.
func expectRejected(t *testing.T, s *servicer.Server, reason string, methods ...string) (retry time.Duration) {
	t.Helper()
	for _, method := range methods {
		st := status.Convert(gated(s, method))
		if st.Code() != codes.Unavailable {
			t.Errorf("%s: %v, want UNAVAILABLE", method, st)
			continue
		}
		for _, detail := range st.Details() {
			switch d := detail.(type) {
			case *errdetails.ErrorInfo:
				if d.GetReason() != "NOT_SERVING" || d.GetMetadata()["reason"] != reason {
					t.Errorf("%s: %v", method, d)
				}
			case *errdetails.RetryInfo:
				retry = d.GetRetryDelay().AsDuration()
			}
		}
		if retry == 0 {
			t.Errorf("%s: no RetryInfo", method)
		}
	}
	return retry
}

func newGated(t *testing.T, cfg servicer.Config, reasons ...checker.Reason) *servicer.Server {
	t.Helper()
	cfg.Services, cfg.RejectFor = []string{"shop.v1.Orders", "shop.v1.Carts"}, reasons
	return newServer(t, cfg)
}

func TestGateWhileTheServerStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passes := make(chan struct{})
		c, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "database", Run: func(context.Context) error { <-passes; return nil }}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := newGated(t, servicer.Config{Checker: c}, checker.ReasonNotRunYet)
		go func() { _ = c.Run(ctx) }()
		go func() { _ = s.Run(ctx) }()
		expectRejected(t, s, "not_run_yet", placeOrder, followCarts, "/unknown.Service/Get", "odd")
		expectPass(t, s, healthpb.Health_Check_FullMethodName, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
			"/vitals.v1.HealthReportService/GetHealthReport", "/plugin.GRPCBroker/StartStream")
		close(passes)
		synctest.Wait()
		expectPass(t, s, placeOrder, followCarts, "/unknown.Service/Get")
		cancel()
		synctest.Wait()
	})
}

func TestGateOfOneServiceInMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGated(t, servicer.Config{}, checker.ReasonMaintenance)
		if err := s.SetMaintenance("shop.v1.Orders", "moving to another database", 10*time.Second); err != nil {
			t.Fatal(err)
		}
		if retry := expectRejected(t, s, "maintenance", placeOrder); retry != 10*time.Second {
			t.Errorf("retry after %v, want the end of the maintenance, 10s", retry)
		}
		expectPass(t, s, followCarts)
		if err := s.SetMaintenance("", "moving", time.Hour); err != nil {
			t.Fatal(err)
		}
		if retry := expectRejected(t, s, "maintenance", placeOrder, followCarts); retry != 30*time.Second {
			t.Errorf("retry after %v, want at most 30s", retry)
		}
		s.EndMaintenance("")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expectPass(t, s, placeOrder, followCarts)
		if m, _ := s.Report().Lookup("shop.v1.Orders"); m.Status != serving {
			t.Errorf("%+v", m)
		}
	})
}

// The gate follows the reasons that were chosen, and manual statuses at once.
func TestGateRejectsForChosenReasonsOnly(t *testing.T) {
	for _, reasons := range [][]checker.Reason{{checker.ReasonManual}, {checker.ReasonMaintenance}, nil} {
		s := newGated(t, servicer.Config{}, reasons...)
		s.SetServingStatus("shop.v1.Orders", notServing)
		if slices.Contains(reasons, checker.ReasonManual) {
			expectRejected(t, s, "manual", placeOrder)
		} else {
			expectPass(t, s, placeOrder)
		}
		expectPass(t, s, followCarts)
		s.SetServingStatus("shop.v1.Orders", serving)
		expectPass(t, s, placeOrder)
	}
}

func TestGateOpensDuringTheDrainDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGated(t, servicer.Config{DrainDelay: 5 * time.Second}, checker.ReasonDraining)
		drained := make(chan error)
		go func() { drained <- s.Drain(t.Context()) }()
		time.Sleep(5*time.Second - 1)
		expectPass(t, s, placeOrder)
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
		expectRejected(t, s, "draining", placeOrder)
	})
}

func TestGateRefusesReasonsThatKeepNoNameFromServing(t *testing.T) {
	if _, err := servicer.New(servicer.Config{RejectFor: []checker.Reason{checker.ReasonOK}}); err == nil {
		t.Error("no error")
	}
}

func TestGateCostsNoAllocationWhileServing(t *testing.T) {
	s := newGated(t, servicer.Config{}, checker.ReasonMaintenance)
	info, handler := &grpc.UnaryServerInfo{FullMethod: placeOrder}, func(context.Context, any) (any, error) { return nil, nil }
	if n := testing.AllocsPerRun(100, func() { _, _ = s.UnaryGateInterceptor(t.Context(), nil, info, handler) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkGate(b *testing.B) {
	s, err := servicer.New(servicer.Config{Services: []string{"shop.v1.Orders"}, RejectFor: []checker.Reason{checker.ReasonMaintenance}})
	if err != nil {
		b.Fatal(err)
	}
	info, handler := &grpc.UnaryServerInfo{FullMethod: placeOrder}, func(context.Context, any) (any, error) { return nil, nil }
	for b.Loop() {
		_, _ = s.UnaryGateInterceptor(b.Context(), nil, info, handler)
	}
}

// A drain adds its cause to those that there are.
func TestGateOfMaintenanceRemainsClosedDuringTheDrainDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGated(t, servicer.Config{DrainDelay: 5 * time.Second}, checker.ReasonMaintenance)
		if err := s.SetMaintenance("", "moving", time.Hour); err != nil {
			t.Fatal(err)
		}
		drained := make(chan error)
		go func() { drained <- s.Drain(t.Context()) }()
		time.Sleep(time.Second)
		expectRejected(t, s, "maintenance", placeOrder)
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
	})
}
