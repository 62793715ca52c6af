package servicer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

func TestManualStatusesOfOverallAndReadinessAreOne(t *testing.T) {
	for _, name := range []string{"", "readiness"} {
		s := newServer(t, servicer.Config{Services: []string{"shop.v1.Orders"}})
		s.SetServingStatus(name, notServing)
		for name, want := range map[string]servingStatus{
			"": notServing, "readiness": notServing, "shop.v1.Orders": serving, "liveness": serving,
		} {
			if got := check(t, s, name); got != want {
				t.Errorf("%q is %v, want %v", name, got, want)
			}
			if n, _ := s.Report().Lookup(name); n.Status != want {
				t.Errorf("%q is reported as %v, want %v", name, n.Status, want)
			}
		}
		if n, _ := s.Report().Lookup("readiness"); n.Causes[0].Reason != checker.ReasonManual {
			t.Errorf("causes are %+v, want the reason manual", n.Causes)
		}
	}
}

func TestZeroConfigListsWhatGrpcHealthDoes(t *testing.T) {
	s := newServer(t, servicer.Config{})
	s.SetServingStatus("shop.v1.Orders", notServing)
	list, err := s.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Statuses) != 2 || list.Statuses[""].Status != serving || list.Statuses["shop.v1.Orders"].Status != notServing {
		t.Errorf("List returns %v, want \"\" and shop.v1.Orders", list.Statuses)
	}
}

// TestManualStatusEvaluatesItsNameOnly sets many names: the report is assembled when it is read, not once for each name.
func TestManualStatusEvaluatesItsNameOnly(t *testing.T) {
	s := newServer(t, servicer.Config{})
	before := s.Report().Revision
	for n := range 10_000 {
		s.SetServingStatus(fmt.Sprint("shop.v1.Orders", n), serving)
	}
	if got := s.Report(); got.Revision != before+1 || len(got.Names) != 10_004 {
		t.Errorf("revision %d with %d names, want %d with 10,004", got.Revision, len(got.Names), before+1)
	}
}

func TestConcurrentAddServicesLosesNone(t *testing.T) {
	for range 200 {
		s := newServer(t, servicer.Config{})
		var group sync.WaitGroup
		for _, name := range []string{"a.A", "b.B", "c.C"} {
			group.Go(func() {
				if err := s.AddServices(name); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, name := range []string{"a.A", "b.B", "c.C"} {
			check(t, s, name)
		}
	}
}

func TestConcurrentShutdownAndResumeLeaveEndpointsInAgreement(t *testing.T) {
	for range 200 {
		s := newServer(t, servicer.Config{Services: []string{"a.A"}})
		var group sync.WaitGroup
		for _, change := range []func(){s.Shutdown, s.Resume, s.Shutdown, s.Resume, func() { s.SetServingStatus("b.B", notServing) }} {
			group.Go(change)
		}
		group.Wait()
		for _, n := range s.Report().Names {
			if got := check(t, s, n.Name); got != n.Status {
				t.Fatalf("Check(%q) = %v, reported as %v", n.Name, got, n.Status)
			}
		}
	}
}

// TestReportIsNeverOlderThanCheck reads a status and then the report while the status flips.
func TestReportIsNeverOlderThanCheck(t *testing.T) {
	s := newServer(t, servicer.Config{})
	s.SetServingStatus("a.A", serving)
	var group sync.WaitGroup
	group.Go(func() {
		for range 2000 {
			s.SetServingStatus("a.A", notServing)
		}
	})
	group.Go(func() {
		seen := 0
		for range 2000 {
			response, _ := s.Check(context.Background(), &healthpb.HealthCheckRequest{Service: "a.A"})
			n, _ := s.Report().Lookup("a.A")
			if response.Status == notServing && n.Status != notServing {
				t.Error("the report shows an older status than Check")
			}
			seen++
		}
	})
	group.Wait()
}

func TestPhasesOnlyGoForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		var phases []servicer.Phase
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for report := range s.Changes(ctx) {
				phases = append(phases, report.Phase)
			}
		}()
		synctest.Wait()
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Resume()
		synctest.Wait()
		cancel()
		<-done
		for _, phase := range phases {
			if phase != servicer.Stopped {
				t.Errorf("phases after the first Drain: %v", phases)
			}
		}
	})
}

func TestDrainHasItsOwnReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, _ := s.Report().Lookup("readiness")
		if n.Status != notServing || n.Causes[0].Reason != checker.ReasonDraining {
			t.Errorf("readiness is %+v, want the reason draining", n)
		}
	})
}

func TestHiddenCheckWithManualStatusIsGatedAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, checker.Check{Name: "database", Run: func(context.Context) error { return errors.New("down") }})
		s := newServer(t, servicer.Config{Checker: c, HideChecks: true})
		for _, name := range []string{"database", "none"} {
			s.SetServingStatus(name, serving)
			n, found := s.Report().Lookup(name)
			if got := check(t, s, name); got != notServing || !found || n.Status != notServing {
				t.Errorf("%q is %v, reported %v, before the process is ready", name, got, found)
			}
		}
	})
}

// TestManualStatusIsATransitionEvenIfResumeEndsIt changes a status by Resume before the report that shows it is read.
func TestManualStatusIsATransitionEvenIfResumeEndsIt(t *testing.T) {
	s := newServer(t, servicer.Config{})
	s.SetServingStatus("shop.v1.Orders", serving)
	s.Report()
	s.SetServingStatus("shop.v1.Orders", notServing)
	s.Resume()
	var to []string
	for _, entry := range s.Report().Transitions { // newest first
		if entry.Subject == "name/shop.v1.Orders" {
			to = append(to, entry.To)
		}
	}
	if !slices.Equal(to, []string{"SERVING", "NOT_SERVING"}) {
		t.Errorf("transitions: got %v, want to NOT_SERVING and back", to)
	}
}
