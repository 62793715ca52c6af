package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// TestUpstream breaks an upstream in each way that networks know. The breaker opens within its bound, nobody but the
// check's probes goes out until the upstream works again, the report says so, and nobody has to call for the recovery.
func TestUpstream(t *testing.T) {
	for _, fault := range []struct {
		name    string
		choose  func(*chain) (begin, end func())
		timeout time.Duration
		bound   int // how many users may be hurt before the breaker is open
		atOnce  bool
	}{
		{"hangs", func(c *chain) (func(), func()) { return c.toxic("timeout", `{"timeout": 0}`) }, 200 * time.Millisecond, 5, false},
		{"resets", func(c *chain) (func(), func()) { return c.toxic("reset_peer", `{"timeout": 0}`) }, patience, 5, false},
		{"is slow", func(c *chain) (func(), func()) { return c.toxic("latency", `{"latency": 800}`) }, patience, slowCalls, true},
		{"refuses", func(c *chain) (func(), func()) {
			return c.proxy.Stop, func() { testdeps.Eventually(c.t, patience, c.proxy.Start) }
		}, patience, 5, false},
	} {
		t.Run(fault.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before, toxic) })
			c := newChain(t)
			c.says("closed", "healthy", "available")
			begin, end := fault.choose(c)
			begin()
			c.opens(fault.timeout, fault.bound, fault.atOnce)
			c.staysOpen()
			end()
			out := c.sent.users.Load()
			c.says("closed", "healthy", "available")
			if late := c.sent.users.Load() - out; late != 0 {
				t.Errorf("%d calls of users went out before the recovery", late)
			}
			if err := c.call(patience); err != nil {
				t.Errorf("a call after the recovery: %v", err)
			}
			if received, sent := c.received.users.Load(), c.sent.users.Load(); received > sent {
				t.Errorf("the upstream has received %d calls, %d were sent", received, sent)
			}
		})
	}
}

func (c *chain) call(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), timeout)
	defer cancel()
	_, err := c.users.EmptyCall(ctx, &testpb.Empty{})
	return err
}

// opens wants the breaker to be open once bound users have been hurt.
func (c *chain) opens(timeout time.Duration, bound int, atOnce bool) {
	c.t.Helper()
	if atOnce {
		var calls sync.WaitGroup
		for range bound {
			calls.Go(func() { _ = c.call(timeout) })
		}
		calls.Wait()
	}
	for range bound {
		if err := c.call(timeout); err == nil {
			c.t.Error("a call has passed")
		} else if breaker.IsRejected(err) {
			break
		}
	}
	if err := c.call(timeout); !breaker.IsRejected(err) {
		c.t.Fatalf("call after %d have failed: %v, want it to be turned away", bound, err)
	}
}

// staysOpen wants the report to tell what is wrong, and goes on calling for several attempts of the breaker to recover.
// No call may leave this process, however often users ask, but for one probe each time that the breaker is half-open.
func (c *chain) staysOpen() {
	c.t.Helper()
	halfOpen := func() int64 { return int64(c.breaker.Snapshot().Transitions[breaker.HalfOpen]) }
	attempts, sent, probes := halfOpen(), c.sent.users.Load(), c.sent.probes.Load()
	c.says("open", "critical", "circuit_open", "unavailable", "timeout")
	told := 0
	testdeps.Eventually(c.t, patience, func() error {
		for range 100 {
			told += c.rejected(c.call(patience))
		}
		if n := halfOpen() - attempts; n < 3 {
			return fmt.Errorf("%d attempts so far", n)
		}
		return nil
	})
	if told == 0 {
		c.t.Error("nobody was told when to come again")
	}
	if out := c.sent.users.Load() - sent; out != 0 {
		c.t.Errorf("%d calls of users went out while the breaker was open", out)
	}
	// A check that began before the breaker opened may have gone out after we looked.
	probes = c.sent.probes.Load() - probes
	if attempts := halfOpen() - attempts; probes > attempts+1 {
		c.t.Errorf("%d probes in %d attempts", probes, attempts)
	}
}

// rejected wants err to be the breaker's word, fit for the wire, and returns 1 if it says when to come again.
func (c *chain) rejected(err error) (told int) {
	c.t.Helper()
	rejection, ok := errors.AsType[*breaker.OpenError](err)
	if !ok {
		c.t.Fatalf("%v, want a rejection", err)
	}
	if rejection.State == breaker.Open && rejection.RetryAt.IsZero() {
		c.t.Errorf("%+v does not say when the next probe is", rejection)
	}
	wire := status.Convert(err)
	if wire.Code() != codes.Unavailable {
		c.t.Errorf("%v, want UNAVAILABLE", wire)
	}
	for _, detail := range wire.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && info.GetRetryDelay().AsDuration() > 0 {
			return 1
		}
	}
	return 0
}

// says waits until the report and the health service say the same of breaker and dependency.
func (c *chain) says(circuit, status string, values ...string) {
	c.t.Helper()
	want := map[bool]healthpb.HealthCheckResponse_ServingStatus{
		true: healthpb.HealthCheckResponse_SERVING, false: healthpb.HealthCheckResponse_NOT_SERVING,
	}[status == "healthy"]
	testdeps.Eventually(c.t, patience, func() error {
		report, err := c.report.GetHealthReport(c.t.Context(), &vitalspb.HealthReportRequest{}, grpc.WaitForReady(true))
		if err != nil {
			return err
		}
		b, d := report.GetMetrics()["breaker_upstream"], report.GetMetrics()["dependency_upstream"]
		if b.GetValue() != circuit || (b.GetStatus() == "healthy") != (circuit == "closed") ||
			d.GetStatus() != status || !slices.Contains(values, d.GetValue()) {
			return fmt.Errorf("report: breaker %v, dependency %v", b, d)
		}
		for _, name := range []string{"", "readiness", "upstream"} {
			resp, err := c.health.Check(c.t.Context(), &healthpb.HealthCheckRequest{Service: name})
			if err != nil || resp.GetStatus() != want {
				return fmt.Errorf("%q is %v (%w), want %v", name, resp.GetStatus(), orNone(err), want)
			}
		}
		return nil
	})
}
