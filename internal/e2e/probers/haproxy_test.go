package probers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// A server that fails or drains is taken out and brought back, and not one call is lost meanwhile.
func TestHAProxyLosesNoCall(t *testing.T) {
	one, two := newServer(t, "database"), newServer(t, "database") // So the price service is required.
	one.answers("/ready", http.StatusOK)
	two.answers("/ready", http.StatusOK)
	proxy := newHAProxy(t, one, two)
	proxy.sees("one", "UP")
	proxy.sees("two", "UP")
	calls := keepCalling(t, proxy.addr)
	calls.goOn(50)
	proxy.shares(calls, "one")
	proxy.shares(calls, "two")

	// A dependency fails: readiness does, the server itself serves.
	one.prices.fails.Store(true)
	proxy.sees("one", "DOWN")
	one.answers("/live", http.StatusOK)
	proxy.spares(calls, "one")
	one.prices.fails.Store(false)
	proxy.sees("one", "UP")
	proxy.shares(calls, "one")

	// A rolling restart.
	for name, s := range map[string]*server{"one": one, "two": two} {
		s.Signal(syscall.SIGTERM)
		proxy.sees(name, "DOWN")
		if code := s.Wait(patience); code != 0 {
			t.Errorf("server %s ends with %d after SIGTERM", name, code)
		}
		proxy.spares(calls, name)
		s.start()
		proxy.sees(name, "UP")
		proxy.shares(calls, name)
	}
	done, lost := calls.end()
	t.Logf("%d calls answered", done)
	if lost != nil {
		t.Errorf("lost after %d answers: %v", done, lost)
	}
}

// shares waits until a server gets calls.
func (h *haproxy) shares(calls *traffic, server string) {
	h.t.Helper()
	_, before, err := h.stats(server)
	if err != nil {
		h.t.Fatal(err)
	}
	testdeps.Eventually(h.t, patience, func() error {
		_, now, err := h.stats(server)
		if err == nil && now == before {
			err = fmt.Errorf("server %s is UP and gets no calls", server)
		}
		return errors.Join(err, calls.trouble())
	})
}

// spares fails the test if a server gets calls while others are answered.
func (h *haproxy) spares(calls *traffic, server string) {
	h.t.Helper()
	_, before, err := h.stats(server)
	if err != nil {
		h.t.Fatal(err)
	}
	calls.goOn(50)
	if _, now, err := h.stats(server); err != nil || now != before {
		h.t.Errorf("server %s is DOWN and got %d calls (%v)", server, now-before, err)
	}
}

// traffic is calls without a pause. None of them needs a dependency: one that is lost was sent to the wrong server.
type traffic struct {
	t    *testing.T
	done atomic.Int64
	stop context.CancelFunc
	gone sync.WaitGroup

	mu   sync.Mutex // guards lost
	lost error
}

func keepCalling(t *testing.T, addr string) *traffic {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	calls := &traffic{t: t, stop: stop}
	for range 4 {
		calls.gone.Go(func() { calls.run(ctx, testpb.NewTestServiceClient(conn)) })
	}
	t.Cleanup(func() {
		calls.end()
		_ = conn.Close()
	})
	return calls
}

func (c *traffic) run(ctx context.Context, client testpb.TestServiceClient) {
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		_, err := client.EmptyCall(call, &testpb.Empty{})
		cancel()
		if err != nil {
			c.mu.Lock()
			c.lost = errors.Join(c.lost, fmt.Errorf("at %s: %w", time.Now().Format(time.StampMilli), err))
			c.mu.Unlock()
		} else {
			c.done.Add(1)
		}
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

func (c *traffic) trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// goOn waits until n more calls have been answered.
func (c *traffic) goOn(n int64) {
	c.t.Helper()
	goal := c.done.Load() + n
	testdeps.Eventually(c.t, patience, func() error {
		if c.done.Load() < goal {
			return errors.Join(fmt.Errorf("%d answers, want %d", c.done.Load(), goal), c.trouble())
		}
		return nil
	})
}

// end stops calling, waits for the answers, and returns how many there were and what was lost.
func (c *traffic) end() (done int64, lost error) {
	c.stop()
	c.gone.Wait()
	return c.done.Load(), c.trouble()
}
