package probes_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func ExampleNewServer() {
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := probes.NewHandler(probes.HandlerConfig{Source: health})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := probes.NewServer(probes.ServerConfig{Handler: handler, Addr: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real program ends it on SIGTERM, after the drain
	fmt.Println(server.Run(ctx))
	// Output: <nil>
}

// serve runs a server on loopback and returns its address and a function that ends it and waits.
func serve(t testing.TB, config probes.ServerConfig) (addr string, stop func()) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config.Listener = lis
	server, err := probes.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return lis.Addr().String(), stop
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: time.Minute}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// probeOnce asks over a connection of its own, as a kubelet does.
func probeOnce(t testing.TB, addr, path string) (int, error) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// net/http answers OPTIONS of the server as a whole by itself, with 200, unless it is told not to.
func TestServerReturns404ForOptionsStar(t *testing.T) {
	t.Parallel()
	addr, stop := serve(t, probes.ServerConfig{Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})})
	defer stop()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "OPTIONS * HTTP/1.1\r\nHost: vitals.test\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("OPTIONS * answers %s %v, want 404 like every path that is none", answer.Status, answer.Header)
	}
}

func TestServerServesUntilItsContextIsDone(t *testing.T) {
	t.Parallel()
	addr, stop := serve(t, probes.ServerConfig{Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})})
	for _, path := range []string{"/health", "/live", "/ready", "/startup"} {
		if code, err := probeOnce(t, addr, path); code != 200 {
			t.Errorf("GET %s = %d, %v", path, code, err)
		}
	}
	stop()
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("still listening after the end")
	}
}

func TestIdleConnectionsNeverLockOutAProbe(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, probes.ServerConfig{
		Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}), MaxConnections: 20,
	})
	for i := range 100 {
		conn := dial(t, addr)
		if i%2 == 0 {
			fmt.Fprint(conn, "GET /live HTTP/1.1\r\nHost: a\r\nX-Slow: ") // half a header
		}
	}
	for range 10 {
		if code, err := probeOnce(t, addr, "/live"); code != 200 {
			t.Fatalf("behind a crowd: %d, %v", code, err)
		}
	}
}

func TestLongestIdleConnectionIsClosedFirst(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, probes.ServerConfig{
		Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}), MaxConnections: 2,
	})
	first, second := dial(t, addr), dial(t, addr)
	for _, conn := range []net.Conn{second, first} { // so that second has waited longest
		roundTrip(t, conn)
	}
	third := dial(t, addr)
	roundTrip(t, third)
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("the longest idle connection is still open")
	}
	roundTrip(t, first)
}

func roundTrip(t testing.TB, conn net.Conn) {
	t.Helper()
	fmt.Fprint(conn, "GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	_ = conn.SetReadDeadline(time.Time{})
}

func TestTenThousandIdleConnections(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("needs many file descriptors and some seconds")
	}
	addr, stop := serve(t, probes.ServerConfig{
		Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}),
	})
	for i := range 10_000 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Skipf("connection %d: %v", i, err)
		}
		defer conn.Close()
		if i%1000 == 0 {
			if code, err := probeOnce(t, addr, "/ready"); code != 200 {
				t.Fatalf("behind %d connections: %d, %v", i, code, err)
			}
		}
	}
	stop()
}

func TestSlowHeadersAreCut(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, probes.ServerConfig{
		Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}),
	})
	conn := dial(t, addr)
	fmt.Fprint(conn, "GET /live HTTP/1.1\r\nHost: a\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("half a header keeps the connection open")
	}
}

func TestHugeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, probes.ServerConfig{Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})})
	conn := dial(t, addr)
	fmt.Fprintf(conn, "GET /live HTTP/1.1\r\nHost: a\r\nX-Huge: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d, want 431", answer.StatusCode)
	}
}

func TestStreamsAndIncompleteRequestsDoNotDelayShutdown(t *testing.T) {
	t.Parallel()
	var log logtest.Log
	addr, stop := serve(t, probes.ServerConfig{
		Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	dial(t, addr)
	fmt.Fprint(dial(t, addr), "GET /live HTTP/1.1\r\n")
	page := dial(t, addr)
	fmt.Fprint(page, "GET /health HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
	if _, err := bufio.NewReader(page).ReadString('{'); err != nil {
		t.Fatal(err)
	}
	stop()
	if strings.Contains(log.String(), "cut off") {
		t.Error("Run ended by its shutdown timeout")
	}
}

func TestServerServesTLS(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	addr, _ := serve(t, probes.ServerConfig{
		Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())}),
		TLS:     &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	})
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestRunReturnsTheListenError(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	server, err := probes.NewServer(probes.ServerConfig{Handler: http.NotFoundHandler(), Addr: lis.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Run: %v", err)
	}
}

func TestRunReturnsAnErrorForAClosedListener(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lis.Close()
	server, err := probes.NewServer(probes.ServerConfig{Handler: http.NotFoundHandler(), Listener: lis})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Run(t.Context()); err == nil {
		t.Error("Run of a closed listener returned nil")
	}
}

func TestNewServerReportsAllMistakes(t *testing.T) {
	t.Parallel()
	_, err := probes.NewServer(probes.ServerConfig{Addr: "nonsense", MaxConnections: -1})
	for _, field := range []string{"Handler", "Addr", "MaxConnections"} {
		if err == nil || !strings.Contains(err.Error(), "ServerConfig."+field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

// blockedLog is a log handler that never returns, until release is closed.
type blockedLog struct {
	slog.Handler

	release chan struct{}
}

func (b blockedLog) Handle(context.Context, slog.Record) error { <-b.release; return nil }

func TestBlockedLogHandlerDelaysTheEndByASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		handler := blockedLog{slog.NewTextHandler(io.Discard, nil), make(chan struct{})}
		defer close(handler.release)
		lis := bufconn.Listen(1 << 10)
		server, err := probes.NewServer(probes.ServerConfig{Handler: http.NotFoundHandler(), Listener: lis, Logger: slog.New(handler)})
		if err != nil {
			t.Fatal(err)
		}
		file := newFile(t, probes.FileConfig{Source: newScript(healthyReport()), Path: filepath.Join(t.TempDir(), "none", "health"), Logger: slog.New(handler)})
		for name, run := range map[string]func(context.Context) error{"server": server.Run, "file": file.Run} {
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- run(ctx) }()
			time.Sleep(time.Minute)
			stop()
			began := time.Now()
			if err := <-ended; err != nil || time.Since(began) != time.Second {
				t.Errorf("%s: Run returned %v after %v, want nil after a second", name, err, time.Since(began))
			}
		}
	})
}
