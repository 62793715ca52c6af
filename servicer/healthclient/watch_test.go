package healthclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer/healthclient"
)

// follow collects the states of Watch, as text, until ctx is done.
func follow(ctx context.Context, conn *grpc.ClientConn, service string) <-chan []string {
	result := make(chan []string, 1)
	go func() {
		var seen []string
		for state := range healthclient.Watch(ctx, conn, service) {
			text := state.Status.String()
			if state.Err != nil {
				text = status.Code(state.Err).String()
			}
			if state.Serving() {
				text += "!"
			}
			seen = append(seen, text)
		}
		result <- seen
	}()
	return result
}

func TestWatchFollowsRestartsOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(address)
		conn := p.connect(t)
		defer conn.Close()
		ctx, cancel := context.WithCancel(t.Context())
		seen := follow(ctx, conn, "shop.v1.Orders")
		time.Sleep(time.Second) // no server yet
		s := p.startHealth(t)
		time.Sleep(5 * time.Second)
		for _, status := range []healthpb.HealthCheckResponse_ServingStatus{serving, notServing, serving} {
			s.SetServingStatus("shop.v1.Orders", status)
			time.Sleep(time.Second)
		}
		p.stop()
		time.Sleep(5 * time.Second)
		s = p.startHealth(t)
		s.SetServingStatus("shop.v1.Orders", serving)
		time.Sleep(time.Minute)
		p.stop()
		cancel()
		got := strings.Join(<-seen, " ")
		want := "Unavailable SERVICE_UNKNOWN SERVING! NOT_SERVING SERVING! Unavailable SERVING! Unavailable"
		if got != want && got != strings.TrimSuffix(want, " Unavailable") {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestServerWithoutHealthServiceIsNotServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(address)
		p.start(func(*grpc.Server) {})
		defer p.stop()
		conn := p.connect(t)
		defer conn.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if got := strings.Join(<-follow(ctx, conn, ""), " "); got != "Unimplemented" {
			t.Errorf("got %q, want Unimplemented once", got)
		}

		start := time.Now()
		err := healthclient.WaitServing(t.Context(), conn, "")
		if status.Code(errors.Unwrap(err)) != codes.Unimplemented || time.Since(start) > time.Second {
			t.Errorf("WaitServing: %v after %v, want UNIMPLEMENTED at once", err, time.Since(start))
		}
	})
}

func TestWatchBacksOff(t *testing.T) {
	for name, tt := range map[string]struct {
		watch        func(healthpb.Health_WatchServer) error
		fewest, most int // calls within a minute
	}{
		"unavailable": {
			func(healthpb.Health_WatchServer) error { return status.Error(codes.Unavailable, "no") }, 7, 12,
		},
		"unimplemented": {
			func(healthpb.Health_WatchServer) error { return status.Error(codes.Unimplemented, "no") }, 2, 4,
		},
		"ends after one response": {
			func(s healthpb.Health_WatchServer) error {
				return s.Send(&healthpb.HealthCheckResponse{Status: serving})
			}, 450, 760,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, s := new(address), &script{watch: tt.watch}
				p.start(func(server *grpc.Server) { healthpb.RegisterHealthServer(server, s) })
				defer p.stop()
				conn := p.connect(t)
				defer conn.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for range healthclient.Watch(ctx, conn, "") {
				}
				if calls := len(s.called()); calls < tt.fewest || calls > tt.most {
					t.Errorf("%d calls in a minute, want %d to %d", calls, tt.fewest, tt.most)
				}
			})
		})
	}
}

func TestSlowReaderGetsTheNewestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(address)
		s := p.startHealth(t)
		defer p.stop()
		conn := p.connect(t)
		defer conn.Close()
		var seen []healthpb.HealthCheckResponse_ServingStatus
		for state := range healthclient.Watch(t.Context(), conn, "") {
			seen = append(seen, state.Status)
			if len(seen) == 2 {
				break
			}
			for range 10 {
				s.SetServingStatus("", notServing)
				synctest.Wait()
				s.SetServingStatus("", serving)
				synctest.Wait()
			}
			s.SetServingStatus("", notServing)
			synctest.Wait()
		}
		if seen[0] != serving || seen[1] != notServing {
			t.Errorf("got %v, want SERVING, then NOT_SERVING", seen)
		}
	})
}

func TestWaitServingReturnsOnceServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(address)
		conn := p.connect(t)
		defer conn.Close()
		start := time.Now()
		result := make(chan error, 1)
		go func() { result <- healthclient.WaitServing(t.Context(), conn, "shop.v1.Orders") }()
		time.Sleep(10 * time.Second)
		s := p.startHealth(t)
		defer p.stop()
		time.Sleep(30 * time.Second) // the service is unknown
		s.SetServingStatus("shop.v1.Orders", serving)
		if err := <-result; err != nil || time.Since(start) > time.Minute {
			t.Errorf("WaitServing: %v after %v", err, time.Since(start))
		}
	})
}

func TestWaitServingErrorHasTheLastState(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*address)
		want    string
	}{
		"no server":       {func(*address) {}, "connection refused"},
		"unknown service": {func(p *address) { p.startHealth(t) }, "SERVICE_UNKNOWN"},
		"not serving": {func(p *address) {
			p.startHealth(t).SetServingStatus("shop.v1.Orders", notServing)
		}, "NOT_SERVING"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(address)
				tt.prepare(p)
				defer p.stop()
				conn := p.connect(t)
				defer conn.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := healthclient.WaitServing(ctx, conn, "shop.v1.Orders")
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("WaitServing: %v, want the deadline and %q", err, tt.want)
				}
			})
		})
	}
}

func TestWaitServingReturnsWhenContextIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := new(address)
	conn := p.connect(t)
	defer conn.Close()
	if err := healthclient.WaitServing(ctx, conn, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitServing: %v, want the context's error", err)
	}
}
