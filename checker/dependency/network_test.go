package dependency_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/internal/pki/pkitest"
)

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			_, _ = w.Write([]byte("status: fine, version 12"))
		case "/long":
			_, _ = w.Write([]byte(strings.Repeat(".", 100_000) + "fine"))
		case "/login":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/host":
			_, _ = w.Write([]byte(r.Host + r.Header.Get("X-Key") + r.Method))
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/secret":
			w.WriteHeader(http.StatusForbidden)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, test := range []struct {
		path string
		cfg  dependency.HTTPConfig
		want []string
	}{
		{"/ok", dependency.HTTPConfig{}, nil},
		{"/ok", dependency.HTTPConfig{Method: http.MethodHead}, nil},
		{"/ok", dependency.HTTPConfig{Contains: "fine", Match: regexp.MustCompile(`version \d+`)}, nil},
		{"/ok", dependency.HTTPConfig{Contains: "dead"}, []string{`without "dead"`}},
		{"/ok", dependency.HTTPConfig{Match: regexp.MustCompile(`^x`)}, []string{"without a match"}},
		{"/ok", dependency.HTTPConfig{Status: []int{204}}, []string{"200 OK", "unexpected status"}},
		{"/long", dependency.HTTPConfig{Contains: "fine"}, []string{"first 65536 bytes"}},
		{"/long", dependency.HTTPConfig{Contains: "fine", MaxBody: 1 << 20}, nil},
		{"/login", dependency.HTTPConfig{}, []string{"302 Found", `redirects to "/ok"`}},
		{"/login", dependency.HTTPConfig{Status: []int{200, 302}}, nil},
		{"/login", dependency.HTTPConfig{Client: server.Client()}, nil},
		{"/host", dependency.HTTPConfig{
			Header: http.Header{"Host": {"shop.internal"}, "X-Key": {"k"}}, Method: "POST", Contains: "shop.internalkPOST",
		}, nil},
		{"/busy", dependency.HTTPConfig{}, []string{"503", "not ready"}},
		{"/secret", dependency.HTTPConfig{}, []string{"403", "credentials"}},
		{"/broken", dependency.HTTPConfig{}, []string{"500", "check its log"}},
		{"/nowhere", dependency.HTTPConfig{}, []string{"404", "path does not exist"}},
	} {
		t.Run(test.path, func(t *testing.T) {
			test.cfg.URL = server.URL + test.path
			wantError(t, must(dependency.HTTP(test.cfg))(patient(t)), test.want...)
		})
	}
	server.Client().CloseIdleConnections()
}

func TestHTTPExplainsFailures(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secured := httptest.NewUnstartedServer(http.NotFoundHandler())
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	secured.StartTLS()
	defer secured.Close()
	mute := listen(t, func(net.Conn) {})
	for _, test := range []struct {
		name, url string
		want      string
	}{
		{"nobody listens", "http://" + deserted(t), "nothing listens at"},
		{"TLS to a plain server", strings.Replace(plain.URL, "http", "https", 1), "does not use TLS"},
		{"unknown authority", secured.URL, "authority that is not trusted"},
		{"closed without a word", "http://" + mute, "closed the connection"},
		{"no such name", "http://vitals.invalid", "vitals.invalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantError(t, must(dependency.HTTP(dependency.HTTPConfig{URL: test.url}))(patient(t)), test.want)
		})
	}
	t.Run("never answers", func(t *testing.T) {
		// Unblock when the client has gone: the server's Close waits for its handlers.
		stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer stuck.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := must(dependency.HTTP(dependency.HTTPConfig{URL: stuck.URL}))(ctx)
		wantError(t, err, "did not answer in time")
	})
}

func TestHTTPReportsAllMistakes(t *testing.T) {
	_, err := dependency.HTTP(dependency.HTTPConfig{URL: "ftp://user:secret@host", Status: []int{7, 600}, MaxBody: -1})
	wantError(t, err, "URL", "Status: got 7,", "Status: got 600,", "MaxBody")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the mistake tells the password: %v", err)
	}
	for _, url := range []string{"http://user:sec ret@host", "http://user:sec/ret@host", "http://user:%sec@host", "user:secret@host"} {
		_, err = dependency.HTTP(dependency.HTTPConfig{URL: url})
		wantError(t, err, "URL")
		if strings.Contains(err.Error(), "sec") {
			t.Errorf("the mistake tells the password: %v", err)
		}
	}
	_, err = dependency.HTTP(dependency.HTTPConfig{URL: "http://host", Method: "GET IT"})
	wantError(t, err, "Method")
}

func TestTCP(t *testing.T) {
	addr := listen(t, func(net.Conn) {})
	wantError(t, must(dependency.TCP(dependency.TCPConfig{Addr: addr}))(patient(t)))
	wantError(t, must(dependency.TCP(dependency.TCPConfig{Addr: deserted(t)}))(patient(t)), "nothing listens at")
	missing := "unix:" + filepath.Join(t.TempDir(), "none.sock")
	wantError(t, must(dependency.TCP(dependency.TCPConfig{Addr: missing}))(patient(t)), "does not exist: check that the service is started")
	for _, scheme := range []string{"dns:///", "passthrough:///", "ipv4:"} {
		wantError(t, must(dependency.TCP(dependency.TCPConfig{Addr: scheme + addr}))(patient(t)))
	}
	for _, addr := range []string{
		"", "host", ":80", "host:", "unix:", "unix-abstract:", "dns:///host", "dns://192.0.2.1/host:80", "ipv6:[::1]", "vsock:3:80", "xds:///a",
	} {
		_, err := dependency.TCP(dependency.TCPConfig{Addr: addr})
		wantError(t, err, "TCPConfig.Addr")
	}
}

func TestTCPOverAUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "v") // t.TempDir is too long for a socket's name on some systems
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	lis, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no Unix sockets here:", err)
	}
	defer lis.Close()
	t.Chdir(dir)
	relative := must(dependency.TCP(dependency.TCPConfig{Addr: "unix:s"}))
	t.Chdir("/")
	for _, run := range []func(context.Context) error{
		relative, must(dependency.TCP(dependency.TCPConfig{Addr: "unix:" + path})),
		must(dependency.TCP(dependency.TCPConfig{Addr: "unix://" + path})),
	} {
		wantError(t, run(patient(t)))
	}
}

func TestTCPOverAnAbstractUnixSocket(t *testing.T) {
	name := fmt.Sprintf("vitals-%d", os.Getpid())
	lis, err := net.Listen("unix", "@"+name)
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("no abstract Unix sockets here:", err)
	}
	defer lis.Close()
	for _, addr := range []string{"unix-abstract:" + name, "unix:@" + name} {
		wantError(t, must(dependency.TCP(dependency.TCPConfig{Addr: addr}))(patient(t)))
	}
}

// A link-local address has a zone, which is not part of the name in a certificate.
func TestAddressesWithAZone(t *testing.T) {
	a := pkitest.New(t)
	pair, err := tls.LoadX509KeyPair(a.Issue(t, "server"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Listener.Close()
	if server.Listener, err = net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here:", err)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(links, func(link net.Interface) bool { return link.Flags&net.FlagLoopback != 0 })
	zone, trust := links[i].Name, &tls.Config{RootCAs: a.Pool}
	for _, scheme := range []string{"", "dns:///", "ipv6:"} {
		addr := scheme + net.JoinHostPort("::1%"+zone, port)
		wantError(t, must(dependency.TCP(dependency.TCPConfig{Addr: addr, TLS: trust}))(patient(t)))
	}
	trust.ServerName = "localhost" // net/http looks for the zone in the certificate
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}}
	url := "https://user:secret@[::1%25" + zone + "]:" + port
	wantError(t, must(dependency.HTTP(dependency.HTTPConfig{URL: url, Client: client}))(patient(t)))
}

func TestTCPWithTLS(t *testing.T) {
	now := time.Now()
	expired, pool := serveTLS(t, now.Add(-48*time.Hour), now.Add(-time.Hour))
	valid, pool2 := serveTLS(t, now.Add(-time.Hour), now.Add(time.Hour))
	for _, test := range []struct {
		name, addr string
		config     *tls.Config
		want       []string
	}{
		{"valid", valid, &tls.Config{RootCAs: pool2}, nil},
		{"expired", expired, &tls.Config{RootCAs: pool}, []string{"not valid now: renew it"}},
		{"untrusted", valid, &tls.Config{RootCAs: x509.NewCertPool()}, []string{"not trusted here"}},
		{"other name", valid, &tls.Config{RootCAs: pool2, ServerName: "shop.example"}, []string{"for other names"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := must(dependency.TCP(dependency.TCPConfig{Addr: test.addr, TLS: test.config}))
			wantError(t, run(patient(t)), test.want...)
		})
	}
}

func TestFailedHandshakeClosesTheConnection(t *testing.T) {
	received := make(chan error, 1)
	addr := listen(t, func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, err := io.Copy(io.Discard, conn)
		received <- err
	})
	run := must(dependency.TCP(dependency.TCPConfig{Addr: addr, TLS: &tls.Config{}}))
	wantError(t, run(patient(t)), "does not use TLS")
	if err := <-received; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open")
	}
}

func TestSilentServerFailsWithTheContext(t *testing.T) {
	stop := make(chan struct{})
	addr := listen(t, func(net.Conn) { <-stop })
	defer close(stop)
	for name, run := range map[string]func(context.Context) error{
		"tls":   must(dependency.TCP(dependency.TCPConfig{Addr: addr, TLS: &tls.Config{}})),
		"redis": must(dependency.Redis(dependency.RedisConfig{Addr: addr})),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		wantError(t, run(ctx), "did not answer in time")
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if err := run(ctx); err == nil {
			t.Errorf("%s passes though it was cancelled", name)
		}
	}
}

func TestCertificate(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name      string
		from, to  time.Duration
		value     float64
		source    string
		wantError string
	}{
		{"new", -24 * time.Hour, 89*24*time.Hour + time.Minute, 1.1, "of 90 days (89 days left)", ""},
		{"overdue", -75 * 24 * time.Hour, 15*24*time.Hour + time.Minute, 83.3, "of 90 days (15 days left)", ""},
		{"of a day", -18 * time.Hour, 6*time.Hour + time.Minute, 75, "of 24 hours (6 hours left)", ""},
		{"expired", -48 * time.Hour, -time.Hour, 0, "", "not valid now: renew it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr, pool := serveTLS(t, now.Add(test.from), now.Add(test.to))
			check := must(dependency.Certificate(dependency.CertificateConfig{
				Name: "api_certificate", Addr: addr, TLS: &tls.Config{RootCAs: pool},
			}))
			m, err := check.Measure(patient(t))
			if test.wantError != "" {
				wantError(t, err, test.wantError)
				return
			}
			wantError(t, err)
			if m.Value < test.value-.1 || m.Value > test.value+.1 || m.Unit != "%" || m.Source != test.source {
				t.Errorf("got %+v, want %v%% %s", m, test.value, test.source)
			}
		})
	}
	_, err := dependency.Certificate(dependency.CertificateConfig{Interval: -1, MinLeft: 14})
	wantError(t, err, "Name", "Addr", "Interval", "MinLeft")
}

func TestCertificateInDays(t *testing.T) {
	now := time.Now()
	addr, pool := serveTLS(t, now.Add(-80*24*time.Hour), now.Add(10*24*time.Hour+time.Hour))
	check := must(dependency.Certificate(dependency.CertificateConfig{
		Name: "api_certificate", Addr: addr, TLS: &tls.Config{RootCAs: pool}, MinLeft: 14 * 24 * time.Hour,
	}))
	m, err := check.Measure(patient(t))
	wantError(t, err)
	if m.Value < 10 || m.Value > 10.1 || m.Unit != "days" || m.Source != "left of 90 days" {
		t.Errorf("got %+v, want 10 days left of 90 days", m)
	}
	if check.Critical != checker.Below(14) || check.Warning != checker.Below(21) {
		t.Errorf("limits are %v and %v", check.Warning, check.Critical)
	}
}

func TestFailingCertificateRunsEachMinute(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{0: time.Minute, time.Second: time.Second} {
		check := must(dependency.Certificate(dependency.CertificateConfig{Name: "api", Addr: "localhost:443", Interval: interval}))
		if check.FailingInterval != want {
			t.Errorf("interval %v: got the failing interval %v, want %v", interval, check.FailingInterval, want)
		}
	}
}

func TestCertificateGatesNothing(t *testing.T) {
	check := must(dependency.Certificate(dependency.CertificateConfig{Name: "c", Addr: "127.0.0.1:1"}))
	if len(check.Gates) != 1 || check.Gates[0] != checker.None || check.Warning != checker.Above(80) || check.Critical != checker.Above(95) {
		t.Errorf("got %+v", check)
	}
}

func TestDNS(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	for _, test := range []struct {
		cfg  dependency.DNSConfig
		want []string
	}{
		{dependency.DNSConfig{Name: "localhost"}, nil},
		{dependency.DNSConfig{Name: "localhost", Want: []netip.Addr{loopback}}, nil},
		{dependency.DNSConfig{Name: "localhost", Want: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}, []string{"none of [192.0.2.1]"}},
		{dependency.DNSConfig{Name: "vitals.invalid.", Resolver: nameServer(t)}, []string{"does not exist"}},
	} {
		wantError(t, must(dependency.DNS(test.cfg))(patient(t)), test.want...)
	}
	_, err := dependency.DNS(dependency.DNSConfig{Want: []netip.Addr{{}}})
	wantError(t, err, "Name is required", "Want[0]")
}
