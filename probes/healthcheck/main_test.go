package healthcheck_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/internal/freeport"
	"github.com/vitals-go/vitals/probes/healthcheck"
)

func ExampleMain() {
	var stdout, stderr bytes.Buffer
	code := healthcheck.Main([]string{"-file", "/nowhere/health", "-for", "live"}, &stdout, &stderr)
	fmt.Println(code)
	// Output: 4
}

// grpcServer serves grpc.health.v1 on lis until the test ends.
func grpcServer(t testing.TB, lis net.Listener, options ...grpc.ServerOption) *health.Server {
	t.Helper()
	server := grpc.NewServer(options...)
	h := health.NewServer()
	h.SetServingStatus("up", healthpb.HealthCheckResponse_SERVING)
	h.SetServingStatus("down", healthpb.HealthCheckResponse_NOT_SERVING)
	healthpb.RegisterHealthServer(server, h)
	run(t, lis, server)
	return h
}

func run(t testing.TB, lis net.Listener, server *grpc.Server) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(lis); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() { server.Stop(); wg.Wait() })
}

func loopback(t testing.TB, network, addr string) net.Listener {
	t.Helper()
	lis, err := net.Listen(network, addr)
	if err != nil {
		t.Skipf("%s %s: %v", network, addr, err)
	}
	t.Cleanup(func() { lis.Close() })
	return lis
}

// closedPort is an address without a listener.
func closedPort(t testing.TB) string {
	t.Helper()
	port, err := freeport.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// probe runs Main and checks its exit code and the stream that it wrote to.
func probe(t testing.TB, want int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	patient := []string{"-connect-timeout", "1m", "-rpc-timeout", "1m"} // unless args say otherwise: the machine may be slow
	got := healthcheck.Main(append(patient, args...), &stdout, &stderr)
	if got != want {
		t.Errorf("healthcheck %q = %d, want %d; %s%s", args, got, want, &stdout, &stderr)
	}
	if (got == 0) != (stdout.Len() > 0) || (got != 0) != (stderr.Len() > 0) {
		t.Errorf("healthcheck %q = %d: stdout %q, stderr %q", args, got, &stdout, &stderr)
	}
	return stdout.String() + stderr.String()
}

func TestProbeArguments(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"", "-nonsense", "-addr", "-addr localhost:1 -http http://localhost:1", "-addr localhost:1 -file /tmp/x",
		"-addr localhost:1 surplus", "-addr localhost", "-addr localhost:", "-addr vsock:3:1", "-addr ipv4:localhost:1", "-addr ipv6:[::1]",
		"-addr ipv4:127.0.0.1:1,127.0.0.2:1", "-addr localhost:1 -connect-timeout 25h", "-http http://localhost:1 -rpc-timeout 2562047h", "-addr localhost:1 -connect-timeout 0s",
		"-addr localhost:1 -rpc-timeout -1s", "-addr localhost:1 -rpc-timeout soon", "-addr localhost:1 -for live",
		"-file /tmp/x -for ever", "-file /tmp/x -service a", "-file /tmp/x -gzip", "-http ftp://localhost", "-http /live",
		"-http http://a -tls", "-http http://a -tls-no-verify", "-addr localhost:1 -tls-no-verify",
		"-addr localhost:1 -tls-ca-cert /tmp/x", "-addr localhost:1 -tls-server-name x",
		"-addr localhost:1 -tls -tls-client-cert x", "-addr localhost:1 -tls -tls-client-key x",
		"-addr localhost:1 -tls -tls-no-verify -tls-ca-cert x", "-addr localhost:1 -tls -tls-no-verify -tls-server-name x",
		"-addr localhost:1 -tls -tls-ca-cert /nowhere/ca.pem", "-addr localhost:1 -tls -tls-client-cert /nowhere/c -tls-client-key /nowhere/k",
		"-addr localhost:1 -rpc-header nonsense", "-addr localhost:1 -rpc-header :x",
	} {
		probe(t, 1, strings.Fields(args)...)
	}
}

func TestProbeRejectsInvalidHeaders(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"two words: x", "héader: x", "x: a\nb", "x: \x00", "x: é", "(x): y"} {
		for _, endpoint := range [][]string{{"-addr", "127.0.0.1:1"}, {"-http", "http://127.0.0.1:1"}} {
			probe(t, 1, append(endpoint, "-rpc-header", header)...)
			probe(t, 1, append(endpoint, "-user-agent", "é\n")...)
		}
	}
	text := probe(t, 1, "-addr", "127.0.0.1:1", "-rpc-header", "x: "+secret+"\n", "-rpc-header", "x "+secret, "-rpc-header",
		"key: "+secret+"é", "-rpc-header", "(y): "+secret, "-for", "live")
	if strings.Contains(text, secret) {
		t.Errorf("%q contains the header value, which may be a token", text)
	}
	for _, mistake := range []string{"'name: value'", "of key", `"(y)"`, "-for"} {
		if !strings.Contains(text, mistake) {
			t.Errorf("%q does not contain %s", text, mistake)
		}
	}
}

func TestProbeReportsAllMistakes(t *testing.T) {
	t.Parallel()
	text := probe(t, 1, "-addr", "a:1", "-http", "http://a", "-for", "x", "-rpc-timeout", "0s")
	for _, name := range []string{"exclude each other", "-for", "-rpc-timeout"} {
		if !strings.Contains(text, name) {
			t.Errorf("%q does not contain %s", text, name)
		}
	}
}

func TestProbeHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := healthcheck.Main([]string{"-h"}, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), "-connect-timeout") {
		t.Errorf("-h = %d %q", code, stderr.String())
	}
}

func TestProbeGRPC(t *testing.T) {
	t.Parallel()
	lis := loopback(t, "tcp", "127.0.0.1:0")
	grpcServer(t, lis)
	addr := lis.Addr().String()
	probe(t, 0, "-addr", addr)
	probe(t, 0, "--addr="+addr, "-service=up", "-v")
	for _, scheme := range []string{"dns:///", "dns:", "passthrough:///", "passthrough:", "ipv4:"} {
		probe(t, 0, "-addr", scheme+addr)
	}
	probe(t, 0, "-addr", addr, "-gzip")
	probe(t, 4, "-addr", addr, "-service", "down")
	probe(t, 3, "-addr", addr, "-service", "missing")
	probe(t, 2, "-addr", addr, "-tls", "-tls-no-verify")
}

func TestProbeUnix(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "v")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	grpcServer(t, loopback(t, "unix", socket))
	probe(t, 0, "-addr", "unix://"+socket)
	probe(t, 0, "-addr", "unix:"+socket, "-service", "up")
	probe(t, 2, "-addr", "unix://"+socket+"missing")
	if runtime.GOOS == "linux" {
		name := fmt.Sprintf("vitals-healthcheck-%d", os.Getpid())
		grpcServer(t, loopback(t, "unix", "@"+name))
		probe(t, 0, "-addr", "unix-abstract:"+name)
	}
}

func TestProbeIPv6WithAZone(t *testing.T) {
	t.Parallel()
	certificate, _ := selfSigned(t)
	cert, _ := pemFiles(t, certificate)
	secure := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	lis := loopback(t, "tcp6", "[::1]:0")
	grpcServer(t, lis, grpc.Creds(credentials.NewTLS(secure)))
	web := &httptest.Server{
		Listener: loopback(t, "tcp6", "[::1]:0"), TLS: secure,
		Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
	}
	web.StartTLS()
	t.Cleanup(web.Close)
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(links, func(link net.Interface) bool { return link.Flags&net.FlagLoopback != 0 })
	zone, trust := links[i].Name, []string{"-tls-ca-cert", cert}
	_, port, _ := net.SplitHostPort(lis.Addr().String())
	for _, addr := range []string{"[::1]:", "[::1%" + zone + "]:", "ipv6:[::1%25" + zone + "]:", "ipv6:[::1]:"} {
		probe(t, 0, append(trust, "-addr", addr+port, "-tls")...)
	}
	_, port, _ = net.SplitHostPort(web.Listener.Addr().String())
	for _, host := range []string{"[::1]:", "[::1%25" + zone + "]:", "user:" + secret + "@[::1%25" + zone + "]:"} {
		probe(t, 0, append(trust, "-http", "https://"+host+port)...)
	}
}

func TestProbeConnectionFailures(t *testing.T) {
	t.Parallel()
	if text := probe(t, 2, "-addr", closedPort(t)); !strings.Contains(text, "refused") {
		t.Errorf("%q does not contain the cause", text)
	}
	silent := loopback(t, "tcp", "127.0.0.1:0") // accepts, and never says anything
	if text := probe(t, 2, "-addr", silent.Addr().String(), "-connect-timeout", "50ms"); !strings.Contains(text, "not connected within 50ms") {
		t.Errorf("got %q, want that -connect-timeout has passed", text)
	}
}

func TestProbeRPCFailures(t *testing.T) {
	t.Parallel()
	empty := loopback(t, "tcp", "127.0.0.1:0")
	run(t, empty, grpc.NewServer())
	if text := probe(t, 3, "-addr", empty.Addr().String()); !strings.Contains(text, "does not implement") {
		t.Errorf("%q does not contain the cause", text)
	}
	slow := loopback(t, "tcp", "127.0.0.1:0")
	grpcServer(t, slow, grpc.UnaryInterceptor(
		func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}))
	probe(t, 3, "-addr", slow.Addr().String(), "-rpc-timeout", "50ms")
}

func TestProbeHeadersAndUserAgent(t *testing.T) {
	t.Parallel()
	var got metadata.MD
	lis := loopback(t, "tcp", "127.0.0.1:0")
	grpcServer(t, lis, grpc.UnaryInterceptor(
		func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
			got, _ = metadata.FromIncomingContext(ctx)
			return h(ctx, r)
		}))
	probe(t, 0, "-addr", lis.Addr().String(), "-rpc-header", "X-Key: one", "-rpc-header", "x-key:two", "-user-agent", "me/1")
	if keys := got.Get("x-key"); len(keys) != 2 || keys[0] != "one" || keys[1] != "two" {
		t.Errorf("x-key: %q", keys)
	}
	if agents := got.Get("user-agent"); len(agents) != 1 || !strings.HasPrefix(agents[0], "me/1") {
		t.Errorf("user-agent: %q", agents)
	}
}

// pemFiles writes a certificate and its key for the flags that take files.
func pemFiles(t testing.TB, certificate tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func TestProbeTLS(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	cert, key := pemFiles(t, certificate)
	lis := loopback(t, "tcp", "127.0.0.1:0")
	grpcServer(t, lis, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
		MinVersion: tls.VersionTLS12,
	})))
	addr := lis.Addr().String()
	mine := []string{"-addr", addr, "-tls", "-tls-client-cert", cert, "-tls-client-key", key}
	with := func(more ...string) []string { return append(append([]string{}, mine...), more...) }
	probe(t, 0, with("-tls-ca-cert", cert)...)
	probe(t, 0, with("-tls-ca-cert", cert, "-tls-server-name", "vitals.test")...)
	probe(t, 0, with("-tls-no-verify")...)
	probe(t, 2, with()...)
	probe(t, 2, with("-tls-ca-cert", cert, "-tls-server-name", "other.test")...)
	probe(t, 2, "-addr", addr)
	probe(t, 1, with("-tls-ca-cert", key)...)
}

func TestProbeHTTP(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			http.Error(w, "database", http.StatusServiceUnavailable)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	probe(t, 0, "-http", server.URL+"/ready", "-v")
	probe(t, 3, "-http", server.URL+"/missing")
	failing.Store(true)
	if text := probe(t, 4, "-http", server.URL+"/ready"); !strings.Contains(text, "database") {
		t.Errorf("%q does not name the failing check", text)
	}
	probe(t, 0, "-http", server.URL+"/live")
}

func TestProbeHTTPFailures(t *testing.T) {
	t.Parallel()
	probe(t, 2, "-http", "http://"+closedPort(t))
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	mux.HandleFunc("/key", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "k" || r.UserAgent() != "me/1" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	probe(t, 3, "-http", server.URL+"/slow", "-rpc-timeout", "50ms")
	probe(t, 3, "-http", server.URL+"/moved")
	probe(t, 0, "-http", server.URL+"/key", "-rpc-header", "x-key: k", "-user-agent", "me/1")
	probe(t, 3, "-http", server.URL+"/key")
	secure := httptest.NewUnstartedServer(mux)
	certificate, _ := selfSigned(t)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	cert, _ := pemFiles(t, certificate)
	probe(t, 3, "-http", secure.URL+"/key", "-tls-ca-cert", cert)
	probe(t, 2, "-http", secure.URL+"/key")
	probe(t, 3, "-http", secure.URL+"/key", "-tls-no-verify")
	probe(t, 3, "-http", strings.Replace(secure.URL, "https", "HTTPS", 1)+"/key", "-tls-no-verify")
}

func TestProbeFailsOnATruncatedResponse(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/torn", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "ok")
	})
	mux.HandleFunc("/hangs", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "ok")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("well\n", 1<<16)) })
	mux.HandleFunc("/no", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	probe(t, 3, "-http", server.URL+"/torn")
	probe(t, 3, "-http", server.URL+"/hangs", "-connect-timeout", "100ms", "-rpc-timeout", "100ms")
	probe(t, 0, "-http", server.URL+"/long")
	probe(t, 4, "-http", server.URL+"/no")
}

func TestProbeSendsTheURLPasswordAndNeverPrintsIt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/torn":
			panic(http.ErrAbortHandler)
		case user != "me" || password != secret:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	with := strings.Replace(server.URL, "http://", "http://me:"+secret+"@", 1)
	probe(t, 0, "-http", with)
	probe(t, 3, "-http", with, "-rpc-header", "Authorization: Bearer other")
	for url, code := range map[string]int{
		with + "/torn": 3, "http://me:" + secret + "@127.0.0.1:1": 2, "http://me:" + secret + " @127.0.0.1:1": 1,
		"ftp://me:" + secret + "@127.0.0.1:1": 1,
	} {
		if text := probe(t, code, "-http", url); strings.Contains(text, secret) {
			t.Errorf("%q contains the password", text)
		}
	}
}

func TestProbeFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, words string, written, expires time.Duration) string {
		path := filepath.Join(dir, name)
		body := fmt.Sprintf(`{"status":"warning",%s,"timestamp":%q,"expires_at":%q}`, words,
			time.Now().Add(written).UTC().Format(time.RFC3339Nano), time.Now().Add(expires).UTC().Format(time.RFC3339Nano))
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	live := write("live", `"live":true`, 0, time.Minute)
	ready := write("ready", `"ready":true,"live":true,"healthy":true`, 0, time.Minute)
	probe(t, 0, "-file", ready)
	probe(t, 0, "-file", ready, "-for", "healthy")
	probe(t, 0, "-file", live, "-for", "live")
	probe(t, 4, "-file", live)
	probe(t, 4, "-file", live, "-for", "healthy")
	probe(t, 4, "-file", write("stale", `"ready":true`, -time.Hour, -time.Minute))
	probe(t, 4, "-file", write("future", `"ready":true`, time.Hour, 2*time.Hour))
	probe(t, 4, "-file", filepath.Join(dir, "missing"))
	torn := filepath.Join(dir, "torn")
	if err := os.WriteFile(torn, []byte(`{"status":"hea`), 0o600); err != nil {
		t.Fatal(err)
	}
	probe(t, 4, "-file", torn)
}

func TestProbeVersionMakesNoRequest(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-version"}, {"-version", "-addr", "127.0.0.1:1"}} {
		if text := probe(t, 0, args...); !strings.Contains(text, "github.com/vitals-go/vitals") || !strings.Contains(text, "go1.") {
			t.Errorf("healthcheck %q says %q", args, text)
		}
	}
}
