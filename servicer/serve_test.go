package servicer_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

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

// TestSilentPeersDoNotDelayStop connects and says nothing, which keeps GracefulStop from telling anybody to go away.
func TestSilentPeersDoNotDelayStop(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says how much a peer has sent")
	}
	for name, over := range map[string]func(*testing.T) link{"tcp": overTCP, "tls": overTLS} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, over(t), servicer.Config{DrainDelay: -1, ShutdownTimeout: time.Hour})
			client := s.link.dial(t)
			defer client.Close()
			if err := get(t.Context(), client, "now"); err != nil {
				t.Fatal(err)
			}
			silent, err := net.Dial("tcp", s.link.target)
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			if err := get(t.Context(), client, "now"); err != nil { // so that the silent one is accepted
				t.Fatal(err)
			}
			s.end()
			if err := <-s.result; err != nil { // the test's timeout if the silent one is waited for
				t.Errorf("Serve: %v", err)
			}
		})
	}
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
			// A whole preface and a frame that says that it is longer than what follows.
			if _, err := half.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x01\x00\x04\x00\x00\x00\x00\x00x")); err != nil {
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
