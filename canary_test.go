package vitals_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
)

// mainPort is a server of the application at an address that stays, beside the health of its process.
type mainPort struct {
	*vitals.Health
	t       *testing.T
	addr    net.Addr
	options []grpc.ServerOption
	server  *grpc.Server
	lis     *pausedListener
	block   atomic.Bool // the interceptor
	free    chan struct{}
}

// pausedListener accepts nothing while it is paused, as one that has run out of connections.
type pausedListener struct {
	net.Listener
	paused atomic.Bool
	stop   chan struct{}
}

func (l *pausedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.paused.Load() {
			return conn, err
		}
		go func() { <-l.stop; conn.Close() }()
	}
}

func newMainPort(t *testing.T, options ...grpc.ServerOption) *mainPort {
	p := &mainPort{t: t, options: options, free: make(chan struct{})}
	p.Health = newHealth(t, vitals.Config{Resources: unjudged(), DrainDelay: -1})
	p.listen("127.0.0.1:0")
	check := p.Canary(p.addr)
	check.Interval, check.Timeout, check.Jitter = 20*time.Millisecond, 200*time.Millisecond, -1
	if err := p.Checker().Add(check); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		close(p.free)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		p.server.Stop()
		close(p.lis.stop)
	})
	return p
}

func (p *mainPort) listen(addr string) {
	p.t.Helper()
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.lis, p.addr = &pausedListener{Listener: lis, stop: make(chan struct{})}, lis.Addr()
	blocking := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if p.block.Load() {
			<-p.free
		}
		return handler(ctx, request)
	}
	p.server = grpc.NewServer(append(append([]grpc.ServerOption{grpc.UnaryInterceptor(blocking)}, p.ServerOptions()...), p.options...)...)
	p.Register(p.server)
	server := p.server
	go func() { _ = server.Serve(p.lis) }()
}

// becomes waits until readiness over HTTP, which is the other port, and the metric have a value.
func (p *mainPort) becomes(ready int, value string) {
	p.t.Helper()
	var code int
	var metric string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, httptest.NewRequestWithContext(p.t.Context(), http.MethodGet, "/ready", nil))
		code = w.Code
		if m, known := p.Report().Metric("main_listener"); known {
			metric = m.Value
		}
		if code == ready && metric == value {
			return
		}
	}
	p.t.Fatalf("ready: %d, main_listener: %s, want %d and %s", code, metric, ready, value)
}

func TestCanaryFindsADeadMainPort(t *testing.T) {
	certificate := selfSigned(t)
	secure := func(clients tls.ClientAuthType) grpc.ServerOption {
		return grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: clients}))
	}
	for name, options := range map[string][]grpc.ServerOption{
		"plaintext": nil, "TLS": {secure(tls.NoClientCert)}, "client certificates": {secure(tls.RequireAnyClientCert)},
	} {
		t.Run(name, func(t *testing.T) {
			p := newMainPort(t, options...)
			p.becomes(http.StatusOK, "available")
			p.server.Stop() // closes the listener
			p.becomes(http.StatusServiceUnavailable, "unavailable")
			if live, known := p.Report().Lookup(checker.Liveness); !known || live.Status.String() != "SERVING" {
				t.Errorf("liveness: %v", live)
			}
			p.listen(p.addr.String())
			p.becomes(http.StatusOK, "available")
			p.lis.paused.Store(true)
			p.becomes(http.StatusServiceUnavailable, "timeout")
			p.lis.paused.Store(false)
			p.becomes(http.StatusOK, "available")
			if name != "client certificates" { // which the check does not have: it sees no interceptor
				p.block.Store(true)
				p.becomes(http.StatusServiceUnavailable, "timeout")
				p.block.Store(false)
				p.becomes(http.StatusOK, "available")
			}
			if n := p.Recorder().Server().Total.Handled; n != 0 {
				t.Errorf("%d calls recorded, want none", n)
			}
			for _, prober := range p.Report().Probers {
				if prober.Protocol != "http" { // this test
					t.Errorf("prober: %+v", prober)
				}
			}
		})
	}
}

// What the canary sees must not keep the server out for ever: its own failure makes the health that it reads NOT_SERVING.
func TestCanaryPassesWhateverTheHealth(t *testing.T) {
	p := newMainPort(t)
	p.becomes(http.StatusOK, "available")
	p.Server().SetStandby(true)
	p.becomes(http.StatusServiceUnavailable, "available")
}

func TestCanaryReportsRejectedHealthRequests(t *testing.T) {
	h := newHealth(t, vitals.Config{Resources: unjudged()})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(rejectUnary))
	h.Register(server)
	go func() { _ = server.Serve(lis) }()
	defer server.Stop()
	err = h.Canary(lis.Addr()).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "health requests are rejected with code 16") {
		t.Errorf("got %v", err)
	}
}

// A server is ready once its main listener has responded.
func ExampleHealth_Canary() {
	health, err := vitals.New(vitals.Config{DrainDelay: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := health.Checker().Add(health.Canary(lis.Addr())); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() { ended <- health.Serve(ctx, grpc.NewServer(health.ServerOptions()...), lis) }()
	for report := range health.Server().Changes(ctx) {
		if m, known := report.Metric("main_listener"); known && m.Value == "available" {
			fmt.Println(m.Message)
			stop()
		}
	}
	fmt.Println("ended:", <-ended)
	// Output:
	// Main listener is available
	// ended: <nil>
}
