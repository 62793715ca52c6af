package vitals

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/internal/selfcall"
	"github.com/vitals-go/vitals/servicer"
)

const (
	selfCheckTimeout = 5 * time.Second
	selfCheckKey     = "vitals-self-check" // metadata
)

// selfCheck is a Check and a Watch of one server in this process, as a prober without credentials makes them. Interceptors
// that run before those of ServerOptions cannot be read from a grpc.Server.
type selfCheck struct {
	token string

	mu      sync.Mutex
	reached bool     // the interceptors of ServerOptions
	before  []string // functions that ran before them
}

// checkServers logs a warning for each server on which health is not reachable or calls are not recorded.
func (h *Health) checkServers(ctx context.Context, endpoints []servicer.Endpoint) error {
	for _, e := range endpoints {
		h.checkServer(ctx, e.Server)
	}
	return nil
}

func (h *Health) checkServer(ctx context.Context, server *grpc.Server) {
	ctx, cancel := context.WithTimeout(ctx, selfCheckTimeout)
	defer cancel()
	s := &selfCheck{token: rand.Text()}
	h.selfCheck.Store(s)
	defer h.selfCheck.Store(nil)
	lis := bufconn.Listen(64 << 10)
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(localListener{lis}) })
	defer served.Wait()
	defer lis.Close() //nolint:errcheck // never fails
	for _, method := range []string{healthpb.Health_Check_FullMethodName, healthpb.Health_Watch_FullMethodName} {
		status, err := s.call(ctx, lis.DialContext, method)
		switch {
		case err != nil: // such as client certificates, which this check does not have
			return
		case status.code != "0":
			h.log.Log(slog.LevelWarn, "health checks without credentials are rejected: "+
				"place ServerOptions before other interceptors, or use FirstServerOptions",
				slog.String("method", method), slog.String("code", status.code), slog.String("error", status.message))
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.reached:
		h.log.Log(slog.LevelWarn, "server has no ServerOptions: its calls are not recorded, and a panic ends the process")
	case len(s.before) > 0:
		h.log.Log(slog.LevelWarn, "interceptors run before ServerOptions: calls that they reject are not recorded, and a panic there "+
			"ends the process", slog.Any("interceptors", s.before))
	}
}

// rpcStatus is the end of a call, or that of a stream whose first message has arrived.
type rpcStatus struct{ code, message string }

// call calls a method with an empty request, without TLS and otherwise with it. The error is that of the connection.
func (s *selfCheck) call(ctx context.Context, dial dialer, method string) (status rpcStatus, err error) {
	for _, scheme := range []string{"http", "https"} {
		if status, err = s.callScheme(ctx, dial, scheme, method); err == nil {
			break
		}
	}
	return status, err
}

// dialer opens a connection to a server of this process.
type dialer func(context.Context) (net.Conn, error)

func (s *selfCheck) callScheme(ctx context.Context, dial dialer, scheme, method string) (rpcStatus, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return rpcStatus{}, err
	}
	defer conn.Close()
	transport := &http.Transport{
		Protocols:       new(http.Protocols),
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a connection to this process
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}
	defer transport.CloseIdleConnections()
	transport.Protocols.SetHTTP2(true)
	transport.Protocols.SetUnencryptedHTTP2(true)
	request := (&http.Request{
		Method: http.MethodPost, URL: &url.URL{Scheme: scheme, Host: "localhost", Path: method},
		Header: http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {selfcall.UserAgent}, selfCheckKey: {s.token}},
		Body:   io.NopCloser(bytes.NewReader(make([]byte, 5))), // an empty message
	}).WithContext(ctx)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return rpcStatus{}, err
	}
	defer response.Body.Close()
	if n, err := io.ReadFull(response.Body, make([]byte, 5)); n > 0 {
		return rpcStatus{code: "0"}, err
	}
	for _, header := range []http.Header{response.Header, response.Trailer} {
		if code := header.Get("Grpc-Status"); code != "" {
			return rpcStatus{code, header.Get("Grpc-Message")}, nil
		}
	}
	return rpcStatus{}, io.ErrUnexpectedEOF
}

// reached records that a call of the self-check is in an interceptor of ServerOptions.
func (h *Health) reached(ctx context.Context) {
	s := h.selfCheck.Load()
	if s == nil {
		return
	}
	if tokens := metadata.ValueFromIncomingContext(ctx, selfCheckKey); len(tokens) != 1 || tokens[0] != s.token {
		return
	}
	before := interceptorsBefore()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached = true
	for _, name := range before {
		if !slices.Contains(s.before, name) {
			s.before = append(s.before, name)
		}
	}
}

// interceptorsBefore returns the functions on the stack between grpc-go's server and this package.
func interceptorsBefore() []string {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	var names []string
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		switch name := frame.Function; {
		case strings.HasPrefix(name, "google.golang.org/grpc.(*Server)."), strings.HasPrefix(name, "google.golang.org/grpc/health/"):
			return names
		case name == "", strings.HasPrefix(name, "google.golang.org/grpc."), strings.HasPrefix(name, "github.com/vitals-go/vitals."),
			strings.HasPrefix(name, "github.com/vitals-go/vitals/interceptor."), strings.HasPrefix(name, "runtime."):
		default:
			names = append(names, name)
		}
	}
	return names
}

// localListener accepts connections that seem to come from this machine: interceptors may read the address of the peer.
type localListener struct{ *bufconn.Listener }

func (l localListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return localConn{conn}, nil
}

func (localListener) Addr() net.Addr { return localAddr() }

type localConn struct{ net.Conn }

func (localConn) LocalAddr() net.Addr  { return localAddr() }
func (localConn) RemoteAddr() net.Addr { return localAddr() }

func localAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
