package servicer_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// TestHiddenCheckWithManualStatusAgreesEverywhere compares Check, List, Watch and the report before the process is ready, then
// while it serves, in each visibility of checks and for names that have a meaning elsewhere.
func TestHiddenCheckWithManualStatusAgreesEverywhere(t *testing.T) {
	for _, hide := range []bool{false, true} {
		for _, name := range []string{"database", "none", "dependency_database", "shop.v1.Orders", "readiness", ""} {
			synctest.Test(t, func(t *testing.T) {
				var down atomic.Bool
				c := newChecker(t, checker.Check{
					Name: "database", Jitter: -1, Interval: time.Second, Run: func(context.Context) error {
						if down.Load() {
							return errors.New("down")
						}
						return nil
					},
				})
				s := newServer(t, servicer.Config{Checker: c, HideChecks: hide, Services: []string{"shop.v1.Orders"}})
				agree := func(when string, want servingStatus) {
					t.Helper()
					synctest.Wait()
					list, err := s.List(t.Context(), &healthpb.HealthListRequest{})
					if err != nil {
						t.Fatal(err)
					}
					n, found := s.Report().Lookup(name)
					if !found || n.Status != want || check(t, s, name) != want || list.Statuses[name].GetStatus() != want {
						t.Errorf("%s, hidden %v, %q: reported %v %v, Check %v, List %v; want %v",
							when, hide, name, found, n, check(t, s, name), list.Statuses[name], want)
					}
				}
				s.SetServingStatus(name, serving)
				agree("starting", notServing)
				defer run(t, c.Run)()
				defer run(t, s.Run)()
				agree("ready", serving)
				down.Store(true)
				time.Sleep(2 * time.Second)
				agree("failing", notServing)
				down.Store(false)
				time.Sleep(10 * time.Second)
				agree("recovered", serving)
				s.SetServingStatus(name, notServing)
				agree("manual", notServing)
			})
		}
	}
}

// TestCheckAndReportAgreeAtEachPublication looks at Check whenever a report is seen, and at the report whenever Check changes.
func TestCheckAndReportAgreeAtEachPublication(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			c := newChecker(t, checker.Check{Name: "database", Run: func(context.Context) error { return nil }})
			s := newServer(t, servicer.Config{Checker: c})
			stopped := make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { // follows reports
				defer close(stopped)
				for r := range s.Changes(ctx) {
					n, _ := r.Lookup("readiness")
					if got := check(t, s, "readiness"); n.Status == serving && got != serving {
						t.Errorf("the report says %v, Check %v", n.Status, got)
					}
				}
			}()
			defer run(t, c.Run)()
			defer run(t, s.Run)()
			for check(t, s, "readiness") != serving {
				time.Sleep(time.Microsecond)
			}
			if n, _ := s.Report().Lookup("readiness"); n.Status != serving {
				t.Errorf("Check says SERVING, the report %v", n.Status)
			}
			if m := s.Report(); m.Phase != servicer.Ready {
				t.Errorf("Check says SERVING, the phase is %v", m.Phase)
			}
			cancel()
			<-stopped
		})
	}
}

func TestTransitionsOfNamesHaveTheReasonOfTheirChange(t *testing.T) {
	for want, change := range map[checker.Reason]func(*servicer.Server) error{
		checker.ReasonDraining:    func(s *servicer.Server) error { return s.Drain(t.Context()) },
		checker.ReasonManual:      func(s *servicer.Server) error { s.SetServingStatus("", notServing); return nil },
		checker.ReasonMaintenance: func(s *servicer.Server) error { return s.SetMaintenance("", "moving", time.Hour) },
	} {
		s := newServer(t, servicer.Config{Services: []string{"shop.v1.Orders"}, DrainDelay: -1})
		if err := change(s); err != nil {
			t.Fatal(err)
		}
		names := 0
		for _, entry := range s.Report().Transitions {
			if len(entry.Names) == 0 {
				continue
			}
			if names++; entry.Reason != want {
				t.Errorf("%v: %+v", want, entry)
			}
		}
		if names == 0 {
			t.Errorf("%v: no transition of a name", want)
		}
	}
	s := newServer(t, servicer.Config{})
	s.Shutdown()
	if entry := s.Report().Transitions[0]; entry.Reason != checker.ReasonManual {
		t.Errorf("Shutdown: %+v", entry)
	}
}
