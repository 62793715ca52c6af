package servicer_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// unsent opens a call and sends no message.
func unsent(t *testing.T, client *grpc.ClientConn, method string) grpc.ClientStream {
	t.Helper()
	stream, err := client.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func expectStreamEnd(t *testing.T, stream grpc.ClientStream, want codes.Code) {
	t.Helper()
	if err := stream.RecvMsg(new(healthpb.HealthCheckResponse)); status.Code(err) != want {
		t.Errorf("the call ended with %v, want %v", err, want)
	}
}

// startOn serves s on server until the returned function is called, which takes the result of Serve.
func startOn(t *testing.T, s *servicer.Server, l link, server *grpc.Server) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Serve(ctx, server, l.lis) }()
	return func() {
		cancel()
		if err := <-result; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

func TestStreamsWithoutRequestCountAndEndWithDrain(t *testing.T) {
	for name, tt := range map[string]struct {
		method      string
		register    func(*servicer.Server, *grpc.Server)
		interceptor bool
	}{
		"Watch": {healthpb.Health_Watch_FullMethodName, func(s *servicer.Server, server *grpc.Server) { s.RegisterHealth(server) }, false},
		"Watch by interceptor": {healthpb.Health_Watch_FullMethodName, func(_ *servicer.Server, server *grpc.Server) {
			healthpb.RegisterHealthServer(server, health.NewServer())
		}, true},
		"WatchHealthReport": {vitalspb.HealthReportService_WatchHealthReport_FullMethodName, func(s *servicer.Server, server *grpc.Server) { s.RegisterReports(server) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := overMemory(t)
				s := newServer(t, servicer.Config{MaxWatches: 1, MaxReportStreams: 1})
				var options []grpc.ServerOption
				if tt.interceptor {
					options = append(options, grpc.StreamInterceptor(s.StreamHealthInterceptor))
				}
				server := l.newServer(options...)
				tt.register(s, server)
				server.RegisterService(&shopDesc, new(shop))
				end := startOn(t, s, l, server)
				client := l.dial(t)
				defer client.Close()
				first := unsent(t, client, tt.method)
				synctest.Wait()
				expectStreamEnd(t, unsent(t, client, tt.method), codes.ResourceExhausted)
				began := time.Now()
				end()
				if took := time.Since(began); took != 5*time.Second {
					t.Errorf("the drain took %v, want the drain delay, 5s", took)
				}
				expectStreamEnd(t, first, codes.Unavailable)
			})
		})
	}
}

func TestCallsWithoutRequestEndWithDrain(t *testing.T) {
	for _, method := range []string{
		healthpb.Health_Check_FullMethodName, healthpb.Health_List_FullMethodName,
		vitalspb.HealthReportService_GetHealthReport_FullMethodName, "/AWS.ALB/healthcheck",
	} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := overMemory(t)
				s := newServer(t, servicer.Config{})
				server := l.newServer()
				s.Register(server)
				s.RegisterALB(server)
				server.RegisterService(&shopDesc, new(shop))
				end := startOn(t, s, l, server)
				client := l.dial(t)
				defer client.Close()
				stream := unsent(t, client, method)
				synctest.Wait()
				began := time.Now()
				end()
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("the drain took %v, want the drain delay, 5s, and 1 to 2 s", took)
				}
				expectStreamEnd(t, stream, codes.Unavailable)
			})
		})
	}
}

func TestCallWithoutRequestEndsAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		client := s.link.dial(t)
		defer client.Close()
		for _, method := range []string{healthpb.Health_Check_FullMethodName, healthpb.Health_Watch_FullMethodName} {
			began := time.Now()
			expectStreamEnd(t, unsent(t, client, method), codes.DeadlineExceeded)
			if took := time.Since(began); took < 30*time.Second || took > time.Minute {
				t.Errorf("%s ended after %v, want 30s to 1m", method, took)
			}
		}
		s.end()
		if err := <-s.result; err != nil {
			t.Error(err)
		}
	})
}

// sending is a stream interceptor that counts the SendMsg that are in progress and that have returned.
type sending struct{ now, done atomic.Int64 }

type sendingStream struct {
	grpc.ServerStream
	sending *sending
}

func (s *sending) intercept(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(service, &sendingStream{stream, s})
}

func (s *sendingStream) SendMsg(m any) error {
	s.sending.now.Add(1)
	defer s.sending.now.Add(-1)
	defer s.sending.done.Add(1)
	return s.ServerStream.SendMsg(m)
}

// unread is a server with a report stream that its client does not read.
type unread struct {
	*servicer.Server
	sending sending
	client  *grpc.ClientConn
	stream  grpc.ServerStreamingClient[vitalspb.HealthReportResponse]
	end     func()
}

// serveUnread has reports with a number of names, of which 3,000 are more than grpc-go's buffers of 64 KiB hold.
func serveUnread(t *testing.T, l link, withShop bool, names int, options ...grpc.CallOption) *unread {
	t.Helper()
	u := &unread{Server: newServer(t, servicer.Config{MaxReportStreams: 1, DrainDelay: -1})}
	server := l.newServer(grpc.StreamInterceptor(u.sending.intercept))
	u.Register(server)
	if withShop {
		server.RegisterService(&shopDesc, new(shop))
	}
	u.end = startOn(t, u.Server, l, server)
	u.client = l.dial(t, grpc.WithInitialWindowSize(64<<10-1)) // it would grow while it is filled
	for n := range names {
		u.SetServingStatus("a service with a name that is not the shortest "+strconv.Itoa(n), serving)
	}
	u.stream = u.watch(t, u.client, options...)
	return u
}

func (u *unread) watch(t *testing.T, client *grpc.ClientConn, options ...grpc.CallOption) grpc.ServerStreamingClient[vitalspb.HealthReportResponse] {
	t.Helper()
	stream, err := vitalspb.NewHealthReportServiceClient(client).WatchHealthReport(t.Context(), &vitalspb.WatchHealthReportRequest{MinIntervalSeconds: 0.1}, options...)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// change makes the server send another report.
func (u *unread) change(n int) {
	u.SetServingStatus("changing", []servingStatus{serving, notServing}[n%2])
}

func TestUnreadReportStreamEndsWithDrain(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]func(*testing.T) link{"TCP": overTCP, "TLS": overTLS, "Unix socket": overUnix, "wrapped listener": overLimited} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := serveUnread(t, over(t), true, 3000)
			defer u.client.Close()
			for n, blocked := 0, 0; blocked < 200; n++ {
				u.change(n)
				time.Sleep(5 * time.Millisecond)
				if u.sending.now.Load() == 0 {
					blocked = 0
				}
				blocked++
			}
			u.end() // expects no error: the ShutdownTimeout does not pass
			u.expectEnd(t)
		})
	}
}

func (u *unread) expectEnd(t *testing.T) {
	t.Helper()
	for {
		if _, err := u.stream.Recv(); err != nil {
			if status.Code(err) != codes.Unavailable {
				t.Errorf("the stream ended with %v, want UNAVAILABLE", err)
			}
			return
		}
	}
}

// TestReportsInSendBufferDoNotDelayDrain leaves 0 to 130 KiB of reports unread. Where they fit into the client's window and
// grpc-go's buffer, Send does not block.
func TestReportsInSendBufferDoNotDelayDrain(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", gzip.Name} {
		for names := 0; names <= 600; names += 100 {
			t.Run(fmt.Sprint(kind, names), func(t *testing.T) {
				t.Parallel()
				u := serveUnread(t, overTCP(t), true, names, grpc.UseCompressor(kind))
				defer u.client.Close()
				for n := range 2 {
					sent := u.sending.done.Load()
					for u.sending.done.Load() == sent {
						u.change(n)
						time.Sleep(time.Millisecond)
					}
				}
				u.end() // expects no error: the ShutdownTimeout does not pass
				u.expectEnd(t)
			})
		}
	}
}

func TestReadReportStreamEndsWithDrainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveUnread(t, overMemory(t), true, 3000)
		defer u.client.Close()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			u.expectEnd(t)
		}()
		for n := range 3 {
			time.Sleep(time.Second)
			u.change(n)
		}
		time.Sleep(time.Second)
		began := time.Now()
		u.end()
		if took := time.Since(began); took != 0 {
			t.Errorf("the drain took %v, want no time", took)
		}
		<-ended
	})
}

func TestUnreadReportStreamOfHealthOnlyServerEndsWithDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveUnread(t, overMemory(t), false, 3000)
		defer u.client.Close()
		time.Sleep(time.Second)
		began := time.Now()
		u.end()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the drain took %v, want 2s", took)
		}
	})
}

func TestUnreadReportStreamGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveUnread(t, overMemory(t), false, 3000)
		defer u.client.Close()
		for n := range 5 {
			time.Sleep(time.Second)
			u.change(n)
		}
		synctest.Wait()
		if u.sending.now.Load() != 1 {
			t.Fatal("Send does not block")
		}
		if _, err := u.watch(t, u.client).Recv(); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("a second stream: %v, want RESOURCE_EXHAUSTED", err)
		}
		time.Sleep(time.Minute)
		if _, err := u.watch(t, u.client).Recv(); err != nil {
			t.Errorf("a second stream a minute later: %v", err)
		}
		u.end()
	})
}
