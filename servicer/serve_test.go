package servicer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

func TestServeKnowsRegisteredServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		client := s.link.dial(t)
		defer client.Close()
		synctest.Wait()
		expectCheck(t, t.Context(), client, shopService, serving)
		expectCheck(t, t.Context(), client, "grpc.health.v1.Health", serving)
		s.end()
		if err := <-s.result; err != nil {
			t.Error(err)
		}
	})
}

func TestServeRejectsCheckNamedLikeService(t *testing.T) {
	checks, err := checker.New(checker.Config{Checks: []checker.Check{
		{Name: shopService, Run: func(context.Context) error { return nil }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	lis := listen(t, "tcp", "127.0.0.1:0")
	s := newServer(t, servicer.Config{Checker: checks})
	server := grpc.NewServer()
	server.RegisterService(&shopDesc, new(shop))
	if err := s.Serve(t.Context(), server, lis); err == nil {
		t.Error("Serve accepts a check that is named like a service")
	}
	if _, err := lis.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is left open: Accept = %v", err)
	}
}

// brokenListener fails its first Accept after breaks is closed.
type brokenListener struct {
	net.Listener
	breaks chan struct{}
}

var errBroken = errors.New("listener broke")

func (l brokenListener) Accept() (net.Conn, error) {
	accepted := make(chan struct{})
	var c net.Conn
	var err error
	go func() {
		defer close(accepted)
		c, err = l.Listener.Accept()
	}()
	select {
	case <-accepted:
		return c, err
	case <-l.breaks:
		return nil, errBroken
	}
}

func TestServeReturnsListenerError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := overMemory(t)
		breaks := make(chan struct{})
		inner := l.lis
		l.lis = brokenListener{inner, breaks}
		s := serve(t, l, servicer.Config{})
		client := l.dial(t)
		defer client.Close()
		stream := watch(t, t.Context(), client, "")
		expectStatus(t, stream, serving)

		began := time.Now()
		close(breaks)
		expectStatus(t, stream, notServing)
		expectEnd(t, stream, codes.Unavailable)
		if err := <-s.result; !errors.Is(err, errBroken) {
			t.Errorf("Serve: %v, want the listener's error", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the end took %v, want no delay", took)
		}
		if s.Phase() != servicer.Stopped {
			t.Errorf("phase %v, want stopped", s.Phase())
		}
		_ = inner.Close()
	})
}

func TestServeReturnsWhenServerIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		synctest.Wait()
		s.server.Stop()
		if err := <-s.result; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if s.Phase() != servicer.Stopped {
			t.Errorf("phase %v, want stopped", s.Phase())
		}
	})
}

func TestServeOfStoppedServer(t *testing.T) {
	server := grpc.NewServer()
	server.Stop()
	err := newServer(t, servicer.Config{}).Serve(t.Context(), server, listen(t, "tcp", "127.0.0.1:0"))
	if !errors.Is(err, grpc.ErrServerStopped) {
		t.Errorf("Serve: %v, want ErrServerStopped", err)
	}
}

func TestServeTwiceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		running, end := context.WithCancel(t.Context())
		var judge sync.WaitGroup
		judge.Go(func() { _ = s.Run(running) })
		synctest.Wait()
		l := overMemory(t)
		if err := s.Serve(t.Context(), l.newServer(), l.lis); err == nil {
			t.Error("Serve beside Run succeeds")
		}
		if s.Phase() != servicer.Ready {
			t.Errorf("phase %v: the mistake has ended what was running", s.Phase())
		}
		end()
		judge.Wait()
	})
}

func TestSecondServeWithSameListenerLeavesFirstAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		synctest.Wait()
		if err := s.Serve(t.Context(), s.link.newServer(), s.link.lis); err == nil {
			t.Error("a second Serve is accepted")
		}
		client := s.link.dial(t)
		defer client.Close()
		expectCheck(t, t.Context(), client, "", serving)
		s.end()
		if err := <-s.result; err != nil {
			t.Errorf("the first Serve: %v", err)
		}
	})
}

// limited is a listener as x/net/netutil.LimitListener returns it: its connections hide the TCP connection inside.
type limited struct{ net.Listener }

type limitedConn struct{ net.Conn }

func (l limited) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	return limitedConn{accepted}, err
}

func overLimited(t *testing.T) link {
	l := overTCP(t)
	l.lis = limited{l.lis}
	return l
}

// proxied is a listener whose connections begin with a PROXY protocol header, which the first Read removes.
type proxied struct{ net.Listener }

type proxiedConn struct {
	net.Conn
	header sync.Once
}

const proxyHeader = "PROXY TCP4 192.0.2.1 192.0.2.2 50000 50051\r\n"

func (l proxied) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	return &proxiedConn{Conn: accepted}, err
}

func (c *proxiedConn) Read(p []byte) (int, error) {
	var err error
	c.header.Do(func() { _, err = io.ReadFull(c.Conn, make([]byte, len(proxyHeader))) })
	if err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func overProxyProtocol(t *testing.T) link {
	l := overTCP(t)
	l.lis = proxied{l.lis}
	target := l.target
	l.target = "passthrough:///" + target
	l.dialOptions = []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", target)
		if err == nil {
			_, err = io.WriteString(conn, proxyHeader)
		}
		return conn, err
	})}
	return l
}

// GracefulStop waits for every handshake before it sends a GOAWAY.
func TestSilentPeerDelaysDrainByAboutASecond(t *testing.T) {
	for name, tt := range map[string]struct {
		over      func(*testing.T) link
		sent      string
		linuxOnly bool
	}{
		"TCP":                                   {overTCP, "", true},
		"TCP, half a greeting":                  {overTCP, greeting[:20], true},
		"TLS":                                   {overTLS, "", true},
		"Unix socket":                           {overUnix, "", false},
		"Unix socket, half a greeting":          {overUnix, greeting[:20], false},
		"memory":                                {overMemory, "", false},
		"wrapped listener":                      {overLimited, "", false},
		"wrapped listener, half a greeting":     {overLimited, greeting[:20], false},
		"PROXY protocol, only its header":       {overProxyProtocol, proxyHeader, false},
		"PROXY protocol, header and half of it": {overProxyProtocol, proxyHeader + greeting[:20], false},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.linuxOnly && runtime.GOOS != "linux" {
				t.Skip("only Linux counts what a TCP peer has sent")
			}
			if runtime.GOOS == "windows" && strings.HasPrefix(name, "Unix") {
				t.Skip("not recognized")
			}
			t.Parallel()
			l := tt.over(t)
			s := serve(t, l, servicer.Config{DrainDelay: -1, ShutdownTimeout: time.Hour})
			client := s.link.dial(t)
			defer client.Close()
			if err := get(t.Context(), client, "now"); err != nil {
				t.Fatal(err)
			}
			silent := dialRaw(t, l)
			defer silent.Close()
			if _, err := io.WriteString(silent, tt.sent); err != nil {
				t.Fatal(err)
			}
			another := s.link.dial(t) // accepted after the silent one
			defer another.Close()
			if err := get(t.Context(), another, "now"); err != nil {
				t.Fatal(err)
			}
			inFlight := make(chan error)
			go func() { inFlight <- get(t.Context(), client, "2s") }()
			for s.shop.calls.Load() < 3 {
				time.Sleep(time.Millisecond)
			}
			began := time.Now()
			s.end()
			if err := errors.Join(<-s.result, <-inFlight); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("the drain took %v, want about as long as the call in flight, 2s", took)
			}
		})
	}
}

// greeting is what an HTTP/2 client sends at least.
const greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// dialRaw returns a connection to l's listener without HTTP/2.
func dialRaw(t *testing.T, l link) net.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	if memory, ok := l.lis.(*bufconn.Listener); ok {
		conn, err = memory.DialContext(t.Context())
	} else {
		conn, err = net.Dial(l.lis.Addr().Network(), l.lis.Addr().String())
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// The credentials accept a *net.UnixConn only, as those of SO_PEERCRED do.
func TestServeGivesCredentialsTheUnixConnection(t *testing.T) {
	l := overUnix(t)
	l.server = unixOnly{l.server}
	s := serve(t, l, servicer.Config{DrainDelay: -1})
	client := l.dial(t)
	defer client.Close()
	if err := get(t.Context(), client, "now"); err != nil {
		t.Error(err)
	}
	s.end()
	if err := <-s.result; err != nil {
		t.Error(err)
	}
}

type unixOnly struct {
	credentials.TransportCredentials
}

func (u unixOnly) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if _, ok := conn.(*net.UnixConn); !ok {
		return nil, nil, fmt.Errorf("connection: got %T, want *net.UnixConn", conn)
	}
	return u.TransportCredentials.ServerHandshake(conn)
}

func TestPartialPrefaceIsCutOffAtDeadline(t *testing.T) {
	for name, over := range map[string]func(*testing.T) link{"tcp": overTCP, "unix": overUnix} {
		t.Run(name, func(t *testing.T) {
			l := over(t)
			s := serve(t, l, servicer.Config{DrainDelay: -1, ShutdownTimeout: 300 * time.Millisecond})
			half, err := net.Dial(l.lis.Addr().Network(), l.lis.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer half.Close()
			if _, err := half.Write([]byte(halfFrame)); err != nil {
				t.Fatal(err)
			}
			client := l.dial(t)
			defer client.Close()
			if err := get(t.Context(), client, "now"); err != nil { // so that the half one is accepted
				t.Fatal(err)
			}
			s.end()
			if err := <-s.result; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Serve: %v, want DeadlineExceeded", err)
			}
		})
	}
}

func TestHandlerThatIgnoresContextDoesNotDelayServe(t *testing.T) {
	for name, options := range map[string][]grpc.ServerOption{"by default": nil, "waiting for handlers": {grpc.WaitForHandlers(true)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				stubborn := grpc.UnaryServerInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
					<-release
					return nil, status.Error(codes.Internal, "released")
				})
				s := serve(t, overMemory(t), servicer.Config{}, append(options, grpc.UnaryInterceptor(stubborn))...)
				client := s.link.dial(t)
				defer client.Close()
				go func() {
					_, _ = healthpb.NewHealthClient(client).Check(t.Context(), &healthpb.HealthCheckRequest{})
				}()
				synctest.Wait()
				began := time.Now()
				s.end()
				if err := <-s.result; !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Serve: %v, want DeadlineExceeded", err)
				}
				if took := time.Since(began); took > 27*time.Second {
					t.Errorf("Serve took %v to end, want 25s and little more", took)
				}
				close(release)
			})
		})
	}
}
