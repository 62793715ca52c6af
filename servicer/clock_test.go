package servicer

import (
	"context"
	"errors"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/internal/clocktest"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// setClock sets the wall clock by d, for all that s holds but its logger, which has a goroutine.
func setClock(s *Server, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clocktest.Set(&struct {
		in          *inputs
		evaluator   *evaluator
		tracker     *tracker
		current     *evaluation
		publication *publication
		evaluated   *time.Time
	}{&s.in, &s.evaluator, s.tracker, s.current, &s.publication, &s.evaluated}, d)
}

// TestWallClockDecidesNothing sets it between all times that an evaluation compares.
func TestWallClockDecidesNothing(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, time.Hour} {
		b, err := breaker.New(breaker.Config{Name: "db"})
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(Config{
			Services: []string{orders, carts}, Breakers: []breaker.SnapshotSource{b}, MinPublishInterval: time.Nanosecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		read := func() { s.update(func(in *inputs) { s.accept(in, s.sources.read()) }) }
		if err := s.SetMaintenance(orders, "moving", 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := s.SetMaintenance(carts, "moving", 30*time.Minute); err != nil {
			t.Fatal(err)
		}
		setClock(s, step)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for r := range s.Changes(ctx) { // ends with the maintenance
			if n, _ := r.Lookup(orders); n.Status == serving {
				break
			}
		}
		r := s.Report()
		if n, _ := r.Lookup(carts); n.Status == serving || len(r.Maintenance) != 1 {
			t.Errorf("%v: the other maintenance has ended as well", step)
		}
		if took := r.Transitions[0].PreviousFor; took <= 0 || took > time.Minute {
			t.Errorf("%v: the maintenance took %v", step, took)
		}
		answer, err := s.ReportServer().GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{})
		if err != nil || answer.UptimeSeconds < 0.02 || answer.UptimeSeconds > 60 {
			t.Errorf("%v: uptime %v, %v", step, answer.GetUptimeSeconds(), err)
		}
		before := r.Revision
		for range 5 { // numbers: a report for each, not after an hour
			_, _ = breaker.Do(t.Context(), b, func(context.Context) (int, error) { return 0, errors.New("down") })
			setClock(s, step)
			read()
		}
		if got := s.Report().Revision - before; got != 5 {
			t.Errorf("%v: %d revisions, want 5", step, got)
		}
		setClock(s, step)
		s.SetServingStatus(orders, healthpb.HealthCheckResponse_NOT_SERVING)
		if entry := s.Report().Transitions[0]; entry.Subject != "name/"+orders || entry.PreviousFor <= 0 || entry.PreviousFor > time.Minute {
			t.Errorf("%v: %+v", step, entry)
		}
	}
}
