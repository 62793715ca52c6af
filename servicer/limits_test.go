package servicer_test

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
)

// watcher is a Watch over a fake stream, on a connection of its own by default.
type watcher struct {
	sent  chan servingStatus
	ended chan error
	leave context.CancelFunc
}

func startWatch(t *testing.T, s *servicer.Server, name string, connection net.Addr) *watcher {
	t.Helper()
	ctx, leave := context.WithCancel(peer.NewContext(t.Context(), &peer.Peer{Addr: connection}))
	w := &watcher{sent: make(chan servingStatus, 100), ended: make(chan error, 1), leave: leave}
	stream := &fakeStream{ctx: ctx, send: func(status servingStatus) error { w.sent <- status; return nil }}
	go func() { w.ended <- s.Watch(&healthpb.HealthCheckRequest{Service: name}, stream) }()
	t.Cleanup(leave)
	return w
}

// admitted reports whether the watch was let in, and if not, why.
func (w *watcher) admitted() error {
	select {
	case <-w.sent:
		return nil
	case err := <-w.ended:
		return err
	}
}

func TestWatchLimits(t *testing.T) {
	s := newServer(t, servicer.Config{MaxWatches: 5, MaxWatchesPerConn: 2})
	// All clients of a Unix socket have the same address; only the value distinguishes their connections.
	first, second, third := &net.UnixAddr{Net: "unix"}, &net.UnixAddr{Net: "unix"}, &net.UnixAddr{Net: "unix"}
	var in []*watcher
	for i, connection := range []net.Addr{first, first, second, second} {
		w := startWatch(t, s, "a"+strconv.Itoa(i), connection)
		if err := w.admitted(); err != nil {
			t.Fatalf("watch %d is refused: %v", i, err)
		}
		in = append(in, w)
	}
	refused := func(connection net.Addr, text string) {
		t.Helper()
		err := startWatch(t, s, "b", connection).admitted()
		if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want RESOURCE_EXHAUSTED and %q", err, text)
		}
	}
	refused(first, "on this connection")
	if err := startWatch(t, s, "c", third).admitted(); err != nil {
		t.Fatalf("the fifth watch is refused: %v", err)
	}
	refused(third, "too many watches: the limit of this server is 5")

	in[0].leave()
	if err := <-in[0].ended; status.Code(err) != codes.Canceled {
		t.Errorf("the watch ended with %v, want CANCELLED", err)
	}
	refused(second, "on this connection")
	if err := startWatch(t, s, "d", first).admitted(); err != nil {
		t.Errorf("a watch is refused, though another has left: %v", err)
	}
}

func TestIndistinguishableConnectionsHaveNoLimit(t *testing.T) {
	s := newServer(t, servicer.Config{MaxWatchesPerConn: 1})
	for range 3 {
		if err := startWatch(t, s, "", overMemory(t).lis.Addr()).admitted(); err != nil {
			t.Errorf("a watch within the process is refused: %v", err)
		}
		if err := startWatch(t, s, "", nil).admitted(); err != nil {
			t.Errorf("a watch without an address is refused: %v", err)
		}
	}
}

func TestNegativeWatchLimitsMeanNone(t *testing.T) {
	s := newServer(t, servicer.Config{MaxWatches: -1, MaxWatchesPerConn: -1})
	connection := &net.TCPAddr{}
	for range 2000 {
		if err := startWatch(t, s, "", connection).admitted(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWatchLimitByConnectionOverTCP(t *testing.T) {
	s, l := newServer(t, servicer.Config{MaxWatchesPerConn: 3}), overTCP(t)
	server := l.newServer()
	s.RegisterHealth(server)
	go func() { _ = server.Serve(l.lis) }()
	defer server.Stop()
	for range 2 { // another connection has its own bound
		client := l.dial(t)
		defer client.Close()
		for range 3 {
			expectStatus(t, watch(t, t.Context(), client, ""), serving)
		}
		expectEnd(t, watch(t, t.Context(), client, ""), codes.ResourceExhausted)
	}
}

func TestLongNameIsWatchedOnlyIfKnown(t *testing.T) {
	s := newServer(t, servicer.Config{})
	fits, long := strings.Repeat("x", 1024), strings.Repeat("x", 1025)
	if err := startWatch(t, s, fits, nil).admitted(); err != nil {
		t.Errorf("an unknown name of 1 KiB is refused: %v", err)
	}
	if err := startWatch(t, s, long, nil).admitted(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("an unknown name of more than 1 KiB: %v, want INVALID_ARGUMENT", err)
	}
	s.SetServingStatus(long, serving)
	if err := startWatch(t, s, long, nil).admitted(); err != nil {
		t.Errorf("a long name that the application knows is refused: %v", err)
	}
}

func TestWatchesOfUnknownNamesLeaveNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps memory of its own")
	}
	s := newServer(t, servicer.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stream := &fakeStream{ctx: ctx, send: func(servingStatus) error { return nil }}
	visit := func() {
		for n := range 20_000 {
			name := strings.Repeat(strconv.Itoa(n), 100)
			_ = s.Watch(&healthpb.HealthCheckRequest{Service: name}, stream)
			_, _ = s.Check(ctx, &healthpb.HealthCheckRequest{Service: name})
		}
	}
	visit()
	before := heap()
	visit()
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("20,000 watches of unknown names leave %d bytes", grown)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestWatchAfterDrainIsUnavailable(t *testing.T) {
	s := newServer(t, servicer.Config{DrainDelay: -1})
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := startWatch(t, s, "", nil)
	if err := <-w.ended; status.Code(err) != codes.Unavailable {
		t.Errorf("a watch after the end gets %v, want UNAVAILABLE", err)
	}
	if len(w.sent) != 0 {
		t.Error("a watch after the end is sent a status, so grpc-go's client tries again without a pause")
	}
}

func TestSlowWatchGetsNewestStatusOnly(t *testing.T) {
	s := newServer(t, servicer.Config{})
	s.SetServingStatus("a", serving)
	sending, proceed := make(chan servingStatus), make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	stream := &fakeStream{ctx: ctx, send: func(status servingStatus) error {
		sending <- status
		<-proceed
		return nil
	}}
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Watch(&healthpb.HealthCheckRequest{Service: "a"}, stream) })
	if got := <-sending; got != serving {
		t.Fatalf("sent %v first", got)
	}
	// While the first one is being sent: there and back again is no news, and only the last of many is.
	s.SetServingStatus("a", notServing)
	s.SetServingStatus("a", serving)
	proceed <- struct{}{}
	s.SetServingStatus("a", notServing)
	if got := <-sending; got != notServing {
		t.Fatalf("sent %v, want NOT_SERVING", got)
	}
	s.SetServingStatus("a", serving)
	s.SetServingStatus("a", notServing)
	s.SetServingStatus("a", 0)
	proceed <- struct{}{}
	if got := <-sending; got != 0 {
		t.Fatalf("sent %v, want the newest, UNKNOWN", got)
	}
	leave()
	proceed <- struct{}{}
	wg.Wait()
}

func TestFailedSendEndsWatch(t *testing.T) {
	s := newServer(t, servicer.Config{})
	stream := &fakeStream{ctx: t.Context(), send: func(servingStatus) error { return grpc.ErrServerStopped }}
	if err := s.Watch(&healthpb.HealthCheckRequest{}, stream); status.Code(err) != codes.Canceled {
		t.Errorf("Watch: %v, want CANCELLED", err)
	}
}
