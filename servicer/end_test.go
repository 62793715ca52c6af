package servicer_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/servicer"
)

func TestHealthOnlyServerStopsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		work, probes := overMemory(t), overMemory(t)
		endpoints := []servicer.Endpoint{{Server: probes.newServer(), Listener: probes.lis}, {Server: work.newServer(), Listener: work.lis}}
		s.Register(endpoints[0].Server)
		s.RegisterALB(endpoints[0].Server)
		endpoints[1].Server.RegisterService(&shopDesc, new(shop))
		ctx, end := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- s.ServeAll(ctx, endpoints...) }()
		client, prober := work.dial(t), probes.dial(t)
		defer client.Close()
		defer prober.Close()
		inFlight := make(chan error, 1)
		go func() { inFlight <- get(t.Context(), client, "15s") }()
		expectCheck(t, t.Context(), prober, "liveness", serving)
		end()
		for range 14 {
			time.Sleep(time.Second)
			newcomer := probes.dial(t)
			expectCheck(t, t.Context(), newcomer, "liveness", serving)
			expectCheck(t, t.Context(), newcomer, "readiness", notServing)
			newcomer.Close()
		}
		expectEnd(t, watch(t, t.Context(), prober, "liveness"), codes.Unavailable)
		if err := <-inFlight; err != nil {
			t.Errorf("the call in flight: %v", err)
		}
		if err := <-result; err != nil {
			t.Errorf("ServeAll: %v", err)
		}
		if _, err := probes.lis.Accept(); err == nil {
			t.Error("the listener for probes is left open")
		}
	})
}

func TestIdleServerStopsWithoutErrorWhenThereIsNoTime(t *testing.T) {
	idle := func(t *testing.T, cfg servicer.Config, end func(*served) error) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, overMemory(t), cfg)
			client := s.link.dial(t)
			defer client.Close()
			if err := get(t.Context(), client, "now"); err != nil {
				t.Fatal(err)
			}
			stream := watch(t, t.Context(), client, "")
			expectStatus(t, stream, serving)
			began := time.Now()
			if err := end(s); err != nil {
				t.Error(err)
			}
			expectStatus(t, stream, notServing)
			expectEnd(t, stream, codes.Unavailable)
			if took := time.Since(began); took != 0 {
				t.Errorf("the end took %v, want 0s", took)
			}
			s.end()
			if err := <-s.result; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
	idle(t, servicer.Config{DrainDelay: -1, ShutdownTimeout: -1}, func(s *served) error {
		s.end()
		return nil
	})
	idle(t, servicer.Config{}, func(s *served) error {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		return s.Drain(ended, s.server)
	})
}

func TestGracefulStopBesideServeDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		client := s.link.dial(t)
		defer client.Close()
		stream := watch(t, t.Context(), client, "")
		expectStatus(t, stream, serving)
		inFlight := make(chan error, 1)
		go func() { inFlight <- get(t.Context(), client, "2s") }()
		synctest.Wait()
		began := time.Now()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			s.server.GracefulStop()
		}()
		expectStatus(t, stream, notServing)
		expectEnd(t, stream, codes.Unavailable)
		if err := <-inFlight; err != nil {
			t.Errorf("the call in flight: %v", err)
		}
		if err := <-s.result; err != nil {
			t.Errorf("Serve: %v", err)
		}
		<-stopped
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the end took %v, want as long as the call in flight, 2s", took)
		}
		if s.Phase() != servicer.Stopped {
			t.Errorf("phase %v, want stopped", s.Phase())
		}
	})
}

func TestGracefulStopOfOneServerDrainsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		one, two := overMemory(t), overMemory(t)
		endpoints := []servicer.Endpoint{{Server: one.newServer(), Listener: one.lis}, {Server: two.newServer(), Listener: two.lis}}
		s.RegisterHealth(endpoints[0].Server)
		s.RegisterHealth(endpoints[1].Server)
		result := make(chan error, 1)
		go func() { result <- s.ServeAll(t.Context(), endpoints...) }()
		var streams []watchClient
		for _, l := range []link{one, two} {
			client := l.dial(t)
			defer client.Close()
			streams = append(streams, watch(t, t.Context(), client, ""))
			expectStatus(t, streams[len(streams)-1], serving)
		}
		go endpoints[0].Server.GracefulStop()
		for _, stream := range streams {
			expectStatus(t, stream, notServing)
			expectEnd(t, stream, codes.Unavailable)
		}
		if err := <-result; err != nil {
			t.Errorf("ServeAll: %v", err)
		}
	})
}

// A silent peer is not a call in flight.
func TestSilentPeerBehindWrappedListenerIsNoError(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		over func(*testing.T) link
		sent string
	}{
		"half a frame":                  {overLimited, halfFrame},
		"PROXY protocol, no header":     {overProxyProtocol, ""},
		"PROXY protocol, half a header": {overProxyProtocol, proxyHeader[:10]},
		"PROXY protocol, half a frame":  {overProxyProtocol, proxyHeader + halfFrame},
		"TLS, half a handshake":         {overLimitedTLS, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + string(make([]byte, 100))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endBesideSilentPeer(t, tt.over(t), tt.sent, time.Hour)
		})
	}
}

// bufconn's connections are wrapped too.
func TestSilentPeerIsNoErrorWhenThereIsNoTime(t *testing.T) {
	for _, sent := range []string{"", greeting[:20], halfFrame} {
		for _, timeout := range []time.Duration{-1, 100 * time.Millisecond, time.Second} {
			synctest.Test(t, func(t *testing.T) { endBesideSilentPeer(t, overMemory(t), sent, timeout) })
		}
	}
}

// halfFrame is a whole preface and a frame that is longer than what follows.
const halfFrame = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x01\x00\x04\x00\x00\x00\x00\x00x"

// endBesideSilentPeer serves on l, with a peer that sends no more than sent, and expects an end without an error.
func endBesideSilentPeer(t *testing.T, l link, sent string, timeout time.Duration) {
	t.Helper()
	s := serve(t, l, servicer.Config{DrainDelay: -1, ShutdownTimeout: timeout})
	silent := dialRaw(t, l)
	defer silent.Close()
	if _, err := io.WriteString(silent, sent); err != nil {
		t.Fatal(err)
	}
	client := l.dial(t) // accepted after the silent one
	defer client.Close()
	if err := get(t.Context(), client, "now"); err != nil {
		t.Fatal(err)
	}
	s.end()
	if err := <-s.result; err != nil {
		t.Errorf("%d bytes sent, %v: %v", len(sent), timeout, err)
	}
}

func overLimitedTLS(t *testing.T) link {
	l := overTLS(t)
	l.lis = limited{l.lis}
	return l
}
