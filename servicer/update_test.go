package servicer

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
)

func checked(t *testing.T, s *Server, name string) servingStatus {
	t.Helper()
	response, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	if err != nil {
		t.Fatal(err)
	}
	return response.Status
}

// TestNamesAgreeAfterPanicBetweenStatusesAndReport makes an evaluation panic after its statuses are published.
func TestNamesAgreeAfterPanicBetweenStatusesAndReport(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	working := s.tracker
	s.tracker = nil
	s.update(func(in *inputs) { in.shutdown = true })
	s.tracker = working
	s.update(nil)
	if n, _ := s.Report().Lookup("readiness"); n.Status != checked(t, s, "readiness") || n.Status != notServing {
		t.Errorf("reported as %v, Check returns %v; want NOT_SERVING", n.Status, checked(t, s, "readiness"))
	}
}

// Nothing evaluates but the readers of reports: Run does not run.
func TestEachDelayedNotificationComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		for i, status := range []servingStatus{notServing, serving, notServing} {
			s.mu.Lock()
			s.pause = time.Second // as after an evaluation of many names
			s.mu.Unlock()
			changed, began := s.Changed(), time.Now()
			s.SetServingStatus("a", status)
			select {
			case <-changed:
			case <-time.After(time.Minute):
				t.Fatalf("status %d: no notification", i)
			}
			if n, _ := s.Report().Lookup("a"); n.Status != status || time.Since(began) != time.Second {
				t.Errorf("status %d: got %v after %v, want %v after 1s", i, n.Status, time.Since(began), status)
			}
		}
	})
}

func TestEvaluationThatKeepsPanickingIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, err := New(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		s.update(func(in *inputs) { in.checks = []*checker.Result{nil} })
		for range 90 {
			time.Sleep(time.Second)
			s.update(nil)
		}
		synctest.Wait()
		if n := strings.Count(log.String(), "health evaluation panicked"); n != 2 {
			t.Errorf("logged %d times in 90s, want 2", n)
		}
		s.update(func(in *inputs) { in.checks = nil })
		s.update(func(in *inputs) { in.checks = []*checker.Result{nil} })
		synctest.Wait()
		if n := strings.Count(log.String(), "health evaluation panicked"); n != 3 {
			t.Errorf("logged %d times after it has worked again, want 3", n)
		}
	})
}

// TestStallIsNotReportedAfterSourceHasReturned reports a stall as late as the timer can.
func TestStallIsNotReportedAfterSourceHasReturned(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	blocked := func() {
		s.stall.start(true, func() {})
		s.stall.beats = stallBeats
	}
	for name, before := range map[string]func(){
		"source has returned":        func() { blocked(); s.stall.stop() },
		"source is being read again": func() { blocked(); s.stall.stop(); s.stall.start(true, func() {}) },
		"Run has returned":           func() { blocked(); s.update(func(in *inputs) { in.state = ended }) },
	} {
		s.update(func(in *inputs) { in.state = evaluating })
		before()
		s.reportStall()
		s.stall.stop()
		if got := checked(t, s, checker.Liveness); got != serving {
			t.Errorf("%s: liveness is %v", name, got)
		}
	}
	blocked()
	s.update(func(in *inputs) { in.state = evaluating })
	s.reportStall()
	s.stall.stop()
	if got := checked(t, s, checker.Liveness); got != notServing {
		t.Errorf("source blocks: liveness is %v", got)
	}
}
