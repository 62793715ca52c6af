package servicer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// A name that is set manually for the first time is gated from the first moment, whether a report is read or not.
func TestNewNameIsGatedFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, checker.Check{Name: "database", Run: func(context.Context) error { return errors.New("down") }})
		s := newServer(t, servicer.Config{Checker: c})
		expect := func(name string, want servingStatus) {
			t.Helper()
			answer, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
			if err != nil || answer.Status != want {
				t.Errorf("Check(%q) = %v, %v; want %v", name, answer.GetStatus(), err, want)
			}
		}
		s.SetServingStatus("early", serving)
		expect("early", notServing)

		defer run(t, c.Run)()
		defer run(t, s.Run)()
		synctest.Wait()
		told := make(chan servingStatus, 100)
		ctx, leave := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- s.Watch(&healthpb.HealthCheckRequest{Service: "late"}, &fakeStream{ctx: ctx, send: func(state servingStatus) error {
				told <- state
				return nil
			}})
		}()
		synctest.Wait()
		s.SetServingStatus("late", serving)
		expect("late", notServing)
		synctest.Wait()
		leave()
		<-ended
		close(told)
		for state := range told {
			if state == serving {
				t.Error("the watch was told that a name serves whose process is not ready")
			}
		}
		s.SetServingStatus("", serving) // known already
		expect("", notServing)
	})
}
