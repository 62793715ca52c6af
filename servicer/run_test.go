package servicer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// run runs f, such as a Run method, until the returned stop is called, which waits for its end.
func run(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func newChecker(t testing.TB, checks ...checker.Check) *checker.Checker {
	t.Helper()
	c, err := checker.New(checker.Config{Checks: checks})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dependency is a check whose answer a test sets.
type dependency struct{ err atomic.Pointer[error] }

func (d *dependency) fail(err error) { d.err.Store(&err) }

func (d *dependency) ping(context.Context) error {
	if err := d.err.Load(); err != nil {
		return *err
	}
	return nil
}

// fakeBreaker is a source of one breaker whose state a test sets.
type fakeBreaker struct {
	mu       sync.Mutex
	snapshot breaker.Snapshot
	changed  chan struct{}
	broken   bool
}

func newFakeBreaker(name string) *fakeBreaker {
	return &fakeBreaker{snapshot: breaker.Snapshot{Name: name}, changed: make(chan struct{})}
}

func (f *fakeBreaker) set(change func(*breaker.Snapshot)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.snapshot)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeBreaker) Snapshots() []breaker.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		panic("out of order")
	}
	now := f.snapshot
	if now.State == breaker.Open && !now.RetryAt.After(time.Now()) {
		now.State, now.Since, now.RetryAt = breaker.HalfOpen, now.RetryAt, time.Time{}
	}
	return []breaker.Snapshot{now}
}

func (f *fakeBreaker) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func metric(t *testing.T, s *servicer.Server, name string) *servicer.Metric {
	t.Helper()
	m, found := s.Report().Metric(name)
	if !found {
		t.Fatalf("no metric %q in %+v", name, s.Report().Metrics)
	}
	return m
}

func check(t *testing.T, s *servicer.Server, name string) servingStatus {
	t.Helper()
	response, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	if err != nil {
		t.Fatalf("Check(%q): %v", name, err)
	}
	return response.Status
}

const (
	serves    = healthpb.HealthCheckResponse_SERVING
	stoodDown = healthpb.HealthCheckResponse_NOT_SERVING
)

func TestPhaseIsReadyAfterFirstResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(context.Context) error { time.Sleep(2 * time.Second); return nil }
		c := newChecker(t, checker.Check{Name: "database", Run: slow})
		s := newServer(t, servicer.Config{Checker: c})
		if got := s.Report(); got.Phase != servicer.Starting || got.Overall != checker.Unknown || check(t, s, "") != stoodDown {
			t.Errorf("before Run: %v, %v", got.Phase, got.Overall)
		}
		if check(t, s, "liveness") != serves {
			t.Error("a process that starts is not alive")
		}
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		time.Sleep(2*time.Second - 1)
		synctest.Wait()
		if s.Phase() != servicer.Starting {
			t.Errorf("phase = %v before the first result", s.Phase())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if s.Phase() != servicer.Ready || check(t, s, "") != serves || check(t, s, "startup") != serves || check(t, s, "database") != serves {
			t.Errorf("report = %+v", s.Report())
		}
	})
}

func TestFailingDependencyIsPublishedAtOnceAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var database dependency
		c := newChecker(t, checker.Check{Name: "database", Run: database.ping, Jitter: -1})
		s := newServer(t, servicer.Config{Checker: c, Services: []string{"shop.v1.Orders"}})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		synctest.Wait()
		database.fail(errors.New("refused"))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if check(t, s, "shop.v1.Orders") != stoodDown || check(t, s, "liveness") != serves || metric(t, s, "dependency_database").Value != "unavailable" {
			t.Errorf("report = %+v", s.Report())
		}
		database.fail(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if check(t, s, "shop.v1.Orders") != serves {
			t.Errorf("report = %+v", s.Report())
		}
		journal := s.Report().Transitions
		if journal[0].From != "NOT_SERVING" || journal[0].PreviousFor != 5*time.Second {
			t.Errorf("journal = %+v", journal[0])
		}
	})
}

func TestResultsOfStoppedCheckerExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, checker.Check{Name: "database", Run: func(context.Context) error { return nil }})
		s := newServer(t, servicer.Config{Checker: c})
		defer run(t, s.Run)()
		stop := run(t, c.Run)
		synctest.Wait()
		stop()
		expires := s.Report().Checks[0].Expires
		time.Sleep(time.Until(expires) - 1)
		synctest.Wait()
		if check(t, s, "") != serves {
			t.Error("the result was stale before its time")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if m := metric(t, s, "dependency_database"); m.Reason != checker.ReasonStale || check(t, s, "") != stoodDown {
			t.Errorf("metric = %+v", m)
		}
	})
}

func TestBreakerTransitionsArePublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBreaker("search")
		s := newServer(t, servicer.Config{Breakers: []breaker.SnapshotSource{b}})
		defer run(t, s.Run)()
		synctest.Wait()
		b.set(func(b *breaker.Snapshot) {
			b.State, b.Since, b.RetryAt = breaker.Open, time.Now(), time.Now().Add(5*time.Second)
		})
		synctest.Wait()
		if m := metric(t, s, "breaker_search"); m.Value != "open" || s.Report().Overall != checker.Warning {
			t.Errorf("metric = %+v", m)
		}
		// The end of the open time is not notified.
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if m := metric(t, s, "breaker_search"); m.Value != "half-open" || m.Status != checker.Warning {
			t.Errorf("metric = %+v", m)
		}
		b.set(func(b *breaker.Snapshot) { b.State, b.RetryAt = breaker.Closed, time.Time{} })
		synctest.Wait()
		if m := metric(t, s, "breaker_search"); m.Value != "closed" || m.Status != checker.Healthy {
			t.Errorf("metric = %+v", m)
		}
		b.set(func(*breaker.Snapshot) { b.broken = true })
		synctest.Wait()
		if m := metric(t, s, "circuit_breakers"); m.Status != checker.Critical {
			t.Errorf("metric = %+v", m)
		}
		b.set(func(*breaker.Snapshot) { b.broken = false })
		synctest.Wait()
		if s.Report().Overall != checker.Healthy {
			t.Errorf("overall = %v", s.Report().Overall)
		}
	})
}

func call(rec *interceptor.Recorder, method string, err error) {
	info := &grpc.UnaryServerInfo{FullMethod: method}
	_, _ = rec.UnaryServerInterceptor(context.Background(), nil, info, func(context.Context, any) (any, error) { return nil, err })
}

func TestRequestsAreReadEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t, servicer.Config{Recorder: rec})
		defer run(t, s.Run)()
		synctest.Wait()
		for range 50 {
			call(rec, "/shop.v1.Orders/Get", status.Error(codes.Internal, "broken"))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if m := metric(t, s, "request_success_rate"); m.Value != "0.0" || m.Status != checker.Critical {
			t.Errorf("metric = %+v", m)
		}
		if check(t, s, "") != serves {
			t.Error("a client has pushed the server out")
		}
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if m := metric(t, s, "request_success_rate"); m.Status != checker.Healthy {
			t.Errorf("a minute later: %+v", m)
		}
	})
}

func TestNumbersArePublishedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		measure := func(context.Context) (checker.Measurement, error) {
			return checker.Measurement{Value: float64(calls.Add(1)) / 1000, Unit: "%"}, nil
		}
		c := newChecker(t, checker.Check{
			Name: "cpu_usage", Kind: checker.Resource, Measure: measure, Interval: 10 * time.Millisecond, Jitter: -1,
			Critical: checker.Above(80),
		})
		s := newServer(t, servicer.Config{Checker: c})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		synctest.Wait()
		before := s.Report().Revision
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := s.Report().Revision - before; got < 9 || got > 11 {
			t.Errorf("%d editions in 10 s", got)
		}
	})
}

func TestNoNewReportWithoutChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t, servicer.Config{Recorder: rec, Breakers: []breaker.SnapshotSource{newFakeBreaker("a")}})
		defer run(t, s.Run)()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := s.Report().Revision; got > 2 {
			t.Errorf("%d editions", got)
		}
	})
}

func TestChangesYieldsEachStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		var seen []servingStatus
		done := make(chan struct{})
		go func() {
			defer close(done)
			for report := range s.Changes(ctx) {
				n, _ := report.Lookup("")
				seen = append(seen, n.Status)
			}
		}()
		for _, status := range []servingStatus{stoodDown, serves, stoodDown} {
			synctest.Wait()
			s.SetServingStatus("", status)
		}
		synctest.Wait()
		cancel()
		<-done
		if want := []servingStatus{serves, stoodDown, serves, stoodDown}; !slices.Equal(seen, want) {
			t.Errorf("seen %v, want %v", seen, want)
		}
	})
}

func TestSetServingStatusIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		set := func(status servingStatus) {
			t.Helper()
			s.SetServingStatus("plugin", status)
			if got := check(t, s, "plugin"); got != status {
				t.Errorf("Check = %v right after %v was set", got, status)
			}
			synctest.Wait()
			if n, _ := s.Report().Lookup("plugin"); n.Status != status {
				t.Errorf("reported as %v after %v was set", n.Status, status)
			}
		}
		set(stoodDown)
		stop := run(t, s.Run)
		set(serves)
		set(stoodDown)
		s.Shutdown()
		if n, _ := s.Report().Lookup(""); n.Status != stoodDown || check(t, s, "") != stoodDown || check(t, s, "liveness") != serves {
			t.Errorf("after Shutdown: %+v", n)
		}
		s.Resume()
		synctest.Wait()
		if n, _ := s.Report().Lookup("plugin"); n.Status != serves || check(t, s, "plugin") != serves {
			t.Errorf("after Resume: %+v", n)
		}
		stop()
		set(stoodDown)
	})
}

func TestMaintenanceEndsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{Services: []string{"a.A", "b.B"}})
		defer run(t, s.Run)()
		if err := s.SetMaintenance("a.A", "moving house", time.Hour); err != nil {
			t.Fatal(err)
		}
		if check(t, s, "a.A") != stoodDown || check(t, s, "b.B") != serves || check(t, s, "") != serves {
			t.Errorf("report = %+v", s.Report().Names)
		}
		time.Sleep(time.Hour - 1)
		synctest.Wait()
		if check(t, s, "a.A") != stoodDown {
			t.Error("over before its time")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if check(t, s, "a.A") != serves || len(s.Report().Maintenance) != 0 {
			t.Errorf("report = %+v", s.Report())
		}
		if err := s.SetMaintenance("", "all of it", time.Hour); err != nil {
			t.Fatal(err)
		}
		if check(t, s, "b.B") != stoodDown || check(t, s, "liveness") != serves {
			t.Errorf("report = %+v", s.Report().Names)
		}
		if !s.EndMaintenance("") || s.EndMaintenance("") || check(t, s, "b.B") != serves {
			t.Errorf("report = %+v", s.Report().Names)
		}
	})
}

func TestSecondRunIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		stop := run(t, s.Run)
		synctest.Wait()
		if s.Run(t.Context()) == nil {
			t.Error("a second Run is accepted")
		}
		stop()
		run(t, s.Run)()
	})
}

// incomparableError is an error that cannot be compared, and whose Error method may panic.
type incomparableError []string

func (e incomparableError) Error() string { return e[0] + " " + e[1] }

func TestErrorsOfBreakerSourceAreCaptured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken, panics := newFakeBreaker("cache"), newFakeBreaker("search")
		s := newServer(t, servicer.Config{Breakers: []breaker.SnapshotSource{broken, panics}})
		defer run(t, s.Run)()
		for range 3 {
			broken.set(func(b *breaker.Snapshot) { b.State, b.LastFailure = breaker.Open, incomparableError{"broken", "pipe"} })
			panics.set(func(b *breaker.Snapshot) { b.State, b.LastFailure = breaker.Open, incomparableError{} })
			time.Sleep(time.Minute)
		}
		for name, want := range map[string]string{
			"cache": "broken pipe", "search": "error of type servicer_test.incomparableError, whose Error method panics",
		} {
			if got := metric(t, s, "breaker_"+name).Detail; got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}
