package servicer_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

// deadlocked is a server whose handlers wait for a lock, with its report.
type deadlocked struct {
	*servicer.Server
	t        *testing.T
	recorder *interceptor.Recorder
	lock     chan struct{} // closed: free
	waiting  int
}

func newDeadlocked(t *testing.T, policy servicer.RequestPolicy) *deadlocked {
	t.Helper()
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := &deadlocked{t: t, recorder: recorder, lock: make(chan struct{})}
	d.Server = newServer(t, servicer.Config{Recorder: recorder, Requests: policy, Services: []string{"shop.v1.Orders"}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		d.free()
		cancel()
		<-ended
		synctest.Wait()
	})
	return d
}

func (d *deadlocked) free() {
	select {
	case <-d.lock:
	default:
		close(d.lock)
	}
}

// call makes a call that waits for the lock, or not.
func (d *deadlocked) call(method string, waits bool) {
	lock := d.lock
	serve := func() {
		_, _ = d.recorder.UnaryServerInterceptor(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: method},
			func(context.Context, any) (any, error) {
				if waits {
					<-lock
				}
				return nil, nil
			})
	}
	if waits {
		d.waiting++
		go serve()
	} else {
		serve()
	}
}

func (d *deadlocked) expect(value string, status checker.Status, serve ...string) {
	d.t.Helper()
	synctest.Wait()
	report := d.Report()
	m, found := report.Metric("requests_stuck")
	if !found || m.Value != value || m.Status != status {
		d.t.Errorf("requests_stuck is %+v, want %s and %v", m, value, status)
	}
	for _, name := range []string{checker.Liveness, checker.Readiness, "shop.v1.Orders"} {
		n, _ := report.Lookup(name)
		if got := n.Status == serving; got != slices.Contains(serve, name) {
			d.t.Errorf("%s is %v: %v", name, n.Status, n.Causes)
		}
	}
}

var everything = []string{checker.Liveness, checker.Readiness, "shop.v1.Orders"}

// TestDeadlockIsReported has 20 calls a second that wait for one lock, as their callers give up: no call ends.
func TestDeadlockIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadlocked(t, servicer.RequestPolicy{})
		d.call("/shop.v1.Orders/Get", false)
		time.Sleep(2 * time.Second)
		for range 200 {
			d.call("/shop.v1.Orders/Place", true)
			time.Sleep(50 * time.Millisecond)
		}
		d.expect("0", checker.Healthy, everything...)
		time.Sleep(35 * time.Second)
		report := d.Report()
		m, _ := report.Metric("requests_stuck")
		if m.Status != checker.Warning || m.Number < 100 || m.Number > 200 || !strings.Contains(m.Message, "shop.v1.Orders/Place") {
			t.Errorf("requests_stuck is %+v, want a warning of at most 200", *m)
		}
		time.Sleep(time.Minute)
		d.expect("200", checker.Warning, everything...)
		d.free()
		time.Sleep(11 * time.Second)
		d.expect("0", checker.Healthy, everything...)
	})
}

func TestStuckCallsAreFoundBesideHealthyMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadlocked(t, servicer.RequestPolicy{StuckAfter: 10 * time.Second, StuckGates: []string{"", checker.Liveness}})
		for range 3 {
			d.call("/shop.v1.Orders/Place", true)
		}
		for range 30 {
			d.call("/shop.v1.Orders/Get", false)
			time.Sleep(time.Second)
		}
		d.expect("3", checker.Warning, everything...) // other calls end
		time.Sleep(20 * time.Second)
		d.expect("3", checker.Critical) // and now none
		d.call("/shop.v1.Orders/Get", false)
		time.Sleep(2 * time.Second)
		d.expect("3", checker.Warning, everything...)
	})
}

func TestStuckCallsGateOnlyWhatIsAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		gates []string
		serve []string
	}{
		"none":      {nil, everything},
		"readiness": {[]string{checker.Readiness}, []string{checker.Liveness}},
		"liveness":  {[]string{checker.Liveness}, []string{checker.Readiness, "shop.v1.Orders"}},
		"a service": {[]string{"shop.v1.Orders"}, []string{checker.Liveness, checker.Readiness}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDeadlocked(t, servicer.RequestPolicy{StuckGates: tt.gates})
				d.call("/shop.v1.Orders/Place", true)
				time.Sleep(time.Minute)
				status := checker.Warning
				if tt.gates != nil {
					status = checker.Critical
				}
				d.expect("1", status, tt.serve...)
			})
		})
	}
}

// Long calls are not stuck if they are allowed to take that long, and a stream may last for ever.
func TestLongCallsAndStreamsAreNotStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadlocked(t, servicer.RequestPolicy{StuckAfter: -1})
		d.call("/shop.v1.Orders/Place", true)
		time.Sleep(time.Hour)
		d.expect("0", checker.Healthy, everything...)
	})
	synctest.Test(t, func(t *testing.T) {
		d := newDeadlocked(t, servicer.RequestPolicy{})
		lock := d.lock
		go func() {
			_ = d.recorder.StreamServerInterceptor(nil, &idleStream{}, &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsServerStream: true},
				func(any, grpc.ServerStream) error { <-lock; return nil })
		}()
		time.Sleep(time.Hour)
		d.expect("0", checker.Healthy, everything...)
	})
}

type idleStream struct{ grpc.ServerStream }

func (*idleStream) Context() context.Context { return context.Background() }

func TestMisplacedStuckGatesAreRefused(t *testing.T) {
	_, err := servicer.New(servicer.Config{Requests: servicer.RequestPolicy{StuckGates: []string{checker.Startup}}})
	if err == nil || !strings.Contains(err.Error(), "Requests.StuckGates") {
		t.Errorf("got %v", errors.Unwrap(err))
	}
}

// Calls and operations to names without an entry share the name other, but not their counters.
func TestOperationsAreNotTakenForCallsOfOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadlocked(t, servicer.RequestPolicy{})
		d.recorder.Register(grpc.NewServer())
		d.call("/unknown.Service/Get", false)
		for range 90 { // there is always one in flight, and none for long
			op := d.recorder.Begin(t.Context(), "", "")
			time.Sleep(time.Second)
			op.End(nil)
		}
		d.expect("0", checker.Healthy, everything...)
	})
}

func TestMisspeltStuckGatesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		recorder, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		running(t, servicer.Config{
			Recorder: recorder, Services: []string{"shop.v1.Orders"}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Requests: servicer.RequestPolicy{StuckGates: []string{checker.Readiness, "shop.v1.Orders", "shop.v1.Ordres"}},
		})
		synctest.Wait()
		if n := strings.Count(log.String(), "is not a registered service"); n != 1 || !strings.Contains(log.String(), "shop.v1.Ordres") {
			t.Errorf("%d warnings, want one for the misspelt name:\n%s", n, log.String())
		}
	})
}
