package servicer_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

func fine(context.Context) error { return nil }

func TestNewReportsAllErrors(t *testing.T) {
	t.Parallel()
	_, err := servicer.New(servicer.Config{
		Checker: newChecker(t,
			checker.Check{Name: "shop.v1.Orders", Run: fine},
			checker.Check{Name: "request_success_rate", Kind: checker.Process, Run: fine},
		),
		Breakers:           []breaker.SnapshotSource{nil},
		Services:           []string{"shop.v1.Orders", "liveness", "a", "a"},
		MinPublishInterval: -1,
		Details:            servicer.Details{Policy: 7},
		Requests: servicer.RequestPolicy{
			SuccessCritical: math.NaN(), SuccessWarning: 101, LatencyWarning: time.Minute, LatencyCritical: 5 * time.Second, MinSample: -1,
		},
	})
	for _, mistake := range []string{
		`check "shop.v1.Orders" has the name of a service`,
		`check "request_success_rate" has the name of a metric`,
		"Breakers: got nil at index 0",
		`Services: "liveness" is reserved for a probe`,
		`Services: "a" is listed twice`,
		"MinPublishInterval: got -1ns, want 0 or more",
		"Details.Policy: got 7, want never, local, always or certificate",
		"Requests.SuccessCritical: got NaN, want at most 100",
		"Requests.SuccessWarning: got 101, want at most 100",
		"Requests.LatencyWarning: got 1m0s, which is above LatencyCritical, 5s",
		"Requests.MinSample: got -1, want 0 or more",
	} {
		if err == nil || !strings.Contains(err.Error(), mistake) {
			t.Errorf("New does not report: %s\n%v", mistake, err)
		}
	}
}

func TestRequestPolicies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		policy servicer.RequestPolicy
		fine   bool
	}{
		"the default":               {servicer.RequestPolicy{}, true},
		"everything off":            {servicer.RequestPolicy{SuccessCritical: -1, SuccessWarning: -1, LatencyCritical: -1, LatencyWarning: -1}, true},
		"no warnings":               {servicer.RequestPolicy{SuccessWarning: -1, LatencyWarning: -1}, true},
		"a stricter rate":           {servicer.RequestPolicy{SuccessCritical: 99.9}, true},
		"a stricter time":           {servicer.RequestPolicy{LatencyCritical: time.Second, LatencyWarning: 100 * time.Millisecond}, true},
		"critical before a warning": {servicer.RequestPolicy{SuccessCritical: 99, SuccessWarning: 98}, false},
		"critical time alone":       {servicer.RequestPolicy{LatencyCritical: time.Second}, true},
		"warning time alone":        {servicer.RequestPolicy{LatencyWarning: time.Minute}, true},
		"warning rate alone":        {servicer.RequestPolicy{SuccessWarning: 90}, true},
		"later than critical":       {servicer.RequestPolicy{LatencyCritical: time.Second, LatencyWarning: 2 * time.Second}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := servicer.New(servicer.Config{Requests: tc.policy}); (err == nil) != tc.fine {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestSetMaintenanceRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	s := newServer(t, servicer.Config{Services: []string{"a.A"}})
	for name, tc := range map[string]struct {
		name, reason string
		d            time.Duration
	}{
		"nobody knows it":    {"a.B", "x", time.Second},
		"it ends no process": {"liveness", "x", time.Second},
		"nor its start":      {"startup", "x", time.Second},
		"no reason":          {"a.A", " ", time.Second},
		"no time":            {"a.A", "x", 0},
	} {
		if err := s.SetMaintenance(tc.name, tc.reason, tc.d); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if len(s.Report().Maintenance) != 0 {
		t.Errorf("maintenance = %+v", s.Report().Maintenance)
	}
}

// TestServeAddsRegisteredServices serves two servicers: one whose checks fit the server's services, and ones that do not.
func TestServeAddsRegisteredServices(t *testing.T) {
	for name, tc := range map[string]struct {
		check   checker.Check
		mistake string
	}{
		"a check that gates a service":         {checker.Check{Name: "a", Run: fine, Gates: []string{healthpb.Health_ServiceDesc.ServiceName}}, ""},
		"a check that gates what is not there": {checker.Check{Name: "a", Run: fine, Gates: []string{"shop.v1.Odrers"}}, `check "a" gates "shop.v1.Odrers", which is not a registered service`},
		"a check with the name of a service":   {checker.Check{Name: healthpb.Health_ServiceDesc.ServiceName, Run: fine}, "has the name of a service"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, servicer.Config{Checker: newChecker(t, tc.check)})
				server := grpc.NewServer()
				s.Register(server)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				served := make(chan error, 1)
				go func() { served <- s.Serve(ctx, server, overMemory(t).lis) }()
				synctest.Wait()
				_, known := s.Report().Lookup("vitals.v1.HealthReportService")
				cancel()
				switch err := <-served; {
				case tc.mistake == "" && (err != nil || !known):
					t.Errorf("served: %v, known: %v", err, known)
				case tc.mistake != "" && (err == nil || !strings.Contains(err.Error(), tc.mistake)):
					t.Errorf("served: %v", err)
				}
			})
		})
	}
}

func TestReportDoesNotAllocate(t *testing.T) {
	s := newServer(t, servicer.Config{})
	if n := testing.AllocsPerRun(100, func() { _ = s.Report().Phase }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAddServicesMakesNamesKnown(t *testing.T) {
	s, err := servicer.New(servicer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddServices("shop.v1.Orders", "plugin"); err != nil {
		t.Fatal(err)
	}
	if err := s.AddServices("shop.v1.Carts", checker.Liveness, ""); err == nil || !strings.Contains(err.Error(), checker.Liveness) {
		t.Errorf("AddServices accepts the names of probes: %v", err)
	}
	for name, want := range map[string]bool{"shop.v1.Orders": true, "plugin": true, "shop.v1.Carts": false} {
		if _, found := s.Report().Lookup(name); found != want {
			t.Errorf("%s is known: %v, want %v", name, found, want)
		}
	}
}
