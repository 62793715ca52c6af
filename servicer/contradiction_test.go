package servicer_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

// contradicted is a server with calls and a database, each of which fails while its flag is set.
type contradicted struct {
	*servicer.Server
	t             *testing.T
	recorder      *interceptor.Recorder
	down, failing atomic.Bool
	log           logtest.Log
}

func startContradicted(t *testing.T, checks ...checker.Check) *contradicted {
	t.Helper()
	s := &contradicted{t: t}
	for i := range checks {
		checks[i].Interval, checks[i].FailingInterval, checks[i].Jitter = time.Second, time.Second, -1
		checks[i].Run = func(context.Context) error {
			if s.down.Load() {
				return errors.New("connection refused")
			}
			return nil
		}
	}
	c, err := checker.New(checker.Config{Checks: checks})
	recorder, err2 := interceptor.New(interceptor.Config{})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	s.recorder = recorder
	s.Server = newServer(t, servicer.Config{Checker: c, Recorder: recorder, Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- c.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	synctest.Wait()
	return s
}

// serve serves two calls a second for d.
func (s *contradicted) serve(d time.Duration) {
	s.t.Helper()
	for range int(d / (500 * time.Millisecond)) {
		_, _ = s.recorder.UnaryServerInterceptor(s.t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}, func(context.Context, any) (any, error) {
			if s.failing.Load() {
				return nil, status.Error(codes.Internal, "broken")
			}
			return nil, nil
		})
		time.Sleep(500 * time.Millisecond)
	}
	synctest.Wait()
}

// expect compares the metric contradiction, which is absent if value is empty, and the lines in the log.
func (s *contradicted) expect(value, text string, lines int) {
	s.t.Helper()
	m, found := s.Report().Metric("contradiction")
	if found != (value != "") || found && (m.Value != value || m.Status != checker.Warning || !strings.Contains(m.Message, text)) {
		s.t.Errorf("metric contradiction: %+v, want %q with %q", m, value, text)
	}
	if got := strings.Count(s.log.String(), `level=WARN msg="checks and calls contradict each other"`); got != lines {
		s.t.Errorf("%d lines, want %d", got, lines)
	}
}

func TestContradictionOfChecksThatPassAndCallsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startContradicted(t, checker.Check{Name: "database"})
		s.serve(2 * time.Minute)
		s.expect("", "", 0)
		s.failing.Store(true)
		s.serve(time.Minute) // half of the window fails after 30 s
		s.expect("", "", 0)
		s.serve(time.Minute)
		s.expect("calls_fail", "Checks pass (database), but 1", 1)
		s.serve(10 * time.Minute)
		s.expect("calls_fail", "database", 1)
		s.failing.Store(false)
		s.serve(time.Minute)
		s.expect("", "", 1)
		s.failing.Store(true)
		s.serve(2 * time.Minute)
		s.expect("calls_fail", "database", 2)
		time.Sleep(2 * time.Minute) // no calls any more
		synctest.Wait()
		s.expect("", "", 2)
	})
}

func TestContradictionOfAnOutageIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startContradicted(t, checker.Check{Name: "database"})
		s.serve(time.Minute)
		s.down.Store(true)
		s.failing.Store(true)
		s.serve(5 * time.Minute)
		s.expect("", "", 0)
	})
}

func TestContradictionOfACheckThatFailsAndCallsThatSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startContradicted(t, checker.Check{Name: "database"})
		s.serve(time.Minute)
		s.down.Store(true)
		s.serve(55 * time.Second)
		s.expect("", "", 0)
		s.serve(10 * time.Second)
		s.expect("calls_succeed", "Checks fail (database), but 110 of 110 calls succeed", 1)
		s.down.Store(false)
		s.serve(2 * time.Second)
		s.expect("", "", 1)
	})
}

// TestContradictionNeedsARequiredDependency: an optional check may fail while calls succeed, and a process without checks says
// nothing.
func TestContradictionNeedsARequiredDependency(t *testing.T) {
	for _, checks := range [][]checker.Check{
		nil,
		{{Name: "cache", Optional: true}},
		{{Name: "ledger", Shadow: true}},
		{{Name: "loop", Kind: checker.Process}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := startContradicted(t, checks...)
			s.down.Store(true)
			s.serve(3 * time.Minute)
			s.expect("", "", 0)
			s.down.Store(false)
			s.failing.Store(true)
			s.serve(3 * time.Minute)
			s.expect("", "", 0)
		})
	}
}

func TestServerWithoutACallIsLoggedOnce(t *testing.T) {
	const line = `level=INFO msg="server is ready, but has received no call"`
	synctest.Test(t, func(t *testing.T) {
		s := startContradicted(t)
		s.SetStandby(true)
		time.Sleep(5 * time.Minute)
		s.SetStandby(false)
		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		if strings.Contains(s.log.String(), line) {
			t.Errorf("logged before a minute in service:\n%s", s.log.String())
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		s.serve(time.Second)
		time.Sleep(10 * time.Minute)
		if got := strings.Count(s.log.String(), line); got != 1 {
			t.Errorf("%d lines, want 1:\n%s", got, s.log.String())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := startContradicted(t, checker.Check{Name: "database"})
		time.Sleep(30 * time.Second)
		s.serve(time.Second)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if strings.Contains(s.log.String(), line) {
			t.Error("logged although a call came in the first minute")
		}
	})
}
