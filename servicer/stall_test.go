package servicer_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// mute is a source of breakers that stops answering.
type mute struct {
	lock    chan struct{} // holds a token while it is free
	changed chan struct{}
	asked   atomic.Int64
}

func newMute() *mute {
	m := &mute{lock: make(chan struct{}, 1), changed: make(chan struct{})}
	m.lock <- struct{}{}
	return m
}

func (m *mute) Snapshots() []breaker.Snapshot {
	m.asked.Add(1)
	<-m.lock
	m.lock <- struct{}{}
	return nil
}

func (m *mute) Changed() <-chan struct{} { return m.changed }

// judged starts a Server with a check that never fails and a source that can be blocked.
func judged(t *testing.T, log *bytes.Buffer) (s *servicer.Server, m *mute, end func()) {
	t.Helper()
	checks, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "database", Jitter: -1, Run: func(context.Context) error { return nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	m = newMute()
	s = newServer(t, servicer.Config{
		Checker: checks, Breakers: []breaker.SnapshotSource{m}, Services: []string{"shop.v1.Orders"},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- checks.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	synctest.Wait()
	return s, m, func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
}

func states(s *servicer.Server) map[string]servingStatus {
	all := map[string]servingStatus{}
	for _, n := range s.Report().Names {
		all[n.Name] = n.Status
	}
	return all
}

func TestBlockedSourceMakesNamesNotServing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, m, end := judged(t, &log)
		defer end()
		for name, state := range states(s) {
			if state != serving {
				t.Errorf("at first %q is %v", name, state)
			}
		}
		<-m.lock // from now on the source blocks
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if s.Report().Overall != checker.Healthy {
			t.Fatal("stalled before the source blocked for 10s")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for name, state := range states(s) {
			if (state == serving) != (name == "startup") {
				t.Errorf("%q is %v while evaluation is stalled", name, state)
			}
			response, known := checkOf(t, s, name)
			if !known || response != state {
				t.Errorf("Check of %q says %v, the report %v", name, response, state)
			}
		}
		report := s.Report()
		if metric, _ := report.Metric("health_evaluation"); report.Overall != checker.Unknown || metric == nil || metric.Value != "stalled" {
			t.Errorf("overall %v, %+v", report.Overall, metric)
		}
		if n, _ := report.Lookup("liveness"); len(n.Causes) != 1 || n.Causes[0].Reason != checker.ReasonStale {
			t.Errorf("liveness: %+v", n)
		}
		m.lock <- struct{}{}
		synctest.Wait()
		for name, state := range states(s) {
			if state != serving {
				t.Errorf("after it %q is %v", name, state)
			}
		}
		if _, found := s.Report().Metric("health_evaluation"); found {
			t.Error("the metric stays")
		}
		if n := strings.Count(log.String(), "health evaluation stalled: source blocks"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, log.String())
		}
	})
}

func checkOf(t *testing.T, s *servicer.Server, name string) (servingStatus, bool) {
	t.Helper()
	response, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	return response.GetStatus(), err == nil
}

func TestSlowOrIdleEvaluationIsNotStalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, m, end := judged(t, &log)
		defer end()
		time.Sleep(time.Hour) // idle: nothing but the check's runs
		for n := range 100 {  // slow: each look takes five seconds, and the next one is due at once
			<-m.lock
			s.SetServingStatus("shop.v1.Orders", []servingStatus{serving, notServing}[n%2])
			time.Sleep(5 * time.Second)
			m.lock <- struct{}{}
			synctest.Wait()
			if s.Report().Overall != checker.Healthy {
				t.Fatalf("a slow evaluation is reported as stalled:\n%s", log.String())
			}
		}
	})
}

func TestNamesDoNotServeAfterRunHasReturned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, _, end := judged(t, &log)
		end()
		for name, state := range states(s) {
			if (state == serving) != (name == "startup" || name == "liveness") {
				t.Errorf("%q is %v after Run", name, state)
			}
			if response, _ := checkOf(t, s, name); response != state {
				t.Errorf("Check of %q says %v, the report %v", name, response, state)
			}
		}
		if metric, found := s.Report().Metric("health_evaluation"); !found || metric.Value != "stopped" || s.Report().Overall != checker.Unknown {
			t.Errorf("%+v", metric)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		if state := states(s)[""]; state != serving {
			t.Errorf("when Run runs again the server is %v", state)
		}
		stop()
		<-ended

		alone := newServer(t, servicer.Config{})
		ctx, stop = context.WithCancel(t.Context())
		stop()
		if err := alone.Run(ctx); err != nil || states(alone)[""] != serving {
			t.Errorf("without sources Run returns %v and leaves %v", err, states(alone))
		}
	})
}

func TestBlockedSourceDoesNotKeepServeFromReturning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMute()
		s := serve(t, overMemory(t), servicer.Config{Breakers: []breaker.SnapshotSource{m}})
		synctest.Wait()
		<-m.lock
		s.SetServingStatus(shopService, serving) // wakes Run
		s.end()
		if err := <-s.result; err == nil || !strings.Contains(err.Error(), "source Breakers[0] blocks") {
			t.Errorf("Serve: %v", err)
		}
		if s.Phase() != servicer.Stopped {
			t.Errorf("phase %v, want stopped", s.Phase())
		}
		m.lock <- struct{}{}
	})
}

// TestBlockedSourceOrLogDoesNotKeepRunFromReturning ends Run while a source, or the log, blocks. It can be run again afterwards.
func TestBlockedSourceOrLogDoesNotKeepRunFromReturning(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"a source", "the log"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, log := newMute(), &mutelog{lock: make(chan struct{}, 1)}
				log.lock <- struct{}{}
				s := newServer(t, servicer.Config{Breakers: []breaker.SnapshotSource{m}, Logger: slog.New(slog.NewTextHandler(log, nil))})
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- s.Run(ctx) }()
				synctest.Wait()
				lock := map[string]chan struct{}{"a source": m.lock, "the log": log.lock}[who]
				<-lock
				s.SetServingStatus("", notServing) // wakes Run, which logs
				synctest.Wait()
				stop()
				began := time.Now()
				want := map[string]string{"a source": "source Breakers[0] blocks", "the log": "log handler blocked"}[who]
				if err := <-ended; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Run: %v", err)
				}
				if took := time.Since(began); took < 10*time.Second || took > 11*time.Second {
					t.Errorf("the end took %v", took)
				}
				ctx, stop = context.WithCancel(t.Context())
				defer stop()
				if who == "a source" { // Its goroutine is still there.
					if err := s.Run(ctx); err == nil {
						t.Error("Run runs twice")
					}
				}
				lock <- struct{}{}
				synctest.Wait()
				if metric, found := s.Report().Metric("health_evaluation"); !found || metric.Value != "stopped" {
					t.Errorf("a late reading is used: %+v", metric)
				}
				if n := strings.Count(log.text.String(), "health evaluation did not stop"); who == "a source" && n != 1 {
					t.Errorf("logged %d times:\n%s", n, log.text.String())
				}
				go func() { ended <- s.Run(ctx) }()
				s.SetServingStatus("", serving)
				synctest.Wait()
				if states(s)[""] != serving {
					t.Error("when Run runs again nothing serves")
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// mutelog is a log that stops taking lines.
type mutelog struct {
	lock chan struct{} // holds a token while it is free
	text strings.Builder
}

func (l *mutelog) Write(p []byte) (int, error) {
	<-l.lock
	defer func() { l.lock <- struct{}{} }()
	return l.text.Write(p)
}
