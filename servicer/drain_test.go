package servicer_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
)

// served is a Server that serves one link.
type served struct {
	*servicer.Server
	link   link
	server *grpc.Server
	shop   *shop
	end    context.CancelFunc // what SIGTERM does
	result chan error
}

// serve starts Serve on l. Whoever calls it ends it and takes the result.
func serve(t *testing.T, l link, cfg servicer.Config, options ...grpc.ServerOption) *served {
	t.Helper()
	s := &served{Server: newServer(t, cfg), link: l, server: l.newServer(options...), shop: new(shop), result: make(chan error, 1)}
	s.RegisterHealth(s.server)
	s.server.RegisterService(&shopDesc, s.shop)
	ctx, end := context.WithCancel(t.Context())
	s.end = end
	go func() { s.result <- s.Serve(ctx, s.server, l.lis) }()
	return s
}

// shop is a service with one unary and one streaming method; both do what the request's name says.
type shop struct{ calls atomic.Int64 }

const (
	shopService = "shop.v1.Orders"
	shopGet     = "/shop.v1.Orders/Get"
)

var shopDesc = grpc.ServiceDesc{
	ServiceName: shopService,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Get", Handler: func(s any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		s.(*shop).calls.Add(1)
		request := new(healthpb.HealthCheckRequest)
		if err := decode(request); err != nil {
			return nil, err
		}
		return &healthpb.HealthCheckResponse{Status: serving}, work(ctx, request.Service)
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Follow", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
		request := new(healthpb.HealthCheckRequest)
		if err := stream.RecvMsg(request); err != nil {
			return err
		}
		return work(stream.Context(), request.Service)
	}}},
}

// work takes as long as name says, and by another name ends with its context.
func work(ctx context.Context, name string) error {
	if name == "until cancelled" {
		<-ctx.Done()
		return ctx.Err()
	}
	d, err := time.ParseDuration(name)
	if err != nil {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// get calls the shop.
func get(ctx context.Context, client *grpc.ClientConn, name string) error {
	return client.Invoke(ctx, shopGet, &healthpb.HealthCheckRequest{Service: name}, new(healthpb.HealthCheckResponse))
}

func TestDrainNotifiesWatchesServesOnAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		client := s.link.dial(t)
		defer client.Close()
		ctx := t.Context()
		synctest.Wait()
		watches := map[string]watchClient{}
		for _, name := range []string{"", "readiness", shopService, "stranger"} {
			watches[name] = watch(t, ctx, client, name)
			want := serving
			if name == "stranger" {
				want = serviceUnknown
			}
			expectStatus(t, watches[name], want)
		}
		alive := watch(t, ctx, client, "liveness")
		expectStatus(t, alive, serving)
		inFlight := make(chan error)
		go func() { inFlight <- get(ctx, client, "8s") }()

		began := time.Now()
		s.end()
		for _, stream := range watches {
			expectStatus(t, stream, notServing)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("watches are notified after %v, want at once", waited)
		}
		if s.Phase() != servicer.Draining {
			t.Errorf("phase %v, want draining", s.Phase())
		}
		time.Sleep(4 * time.Second)
		// Still within the drain delay: everything works, on old connections and on new ones.
		if err := get(ctx, client, "now"); err != nil {
			t.Errorf("a call during the drain delay fails: %v", err)
		}
		newcomer := s.link.dial(t)
		defer newcomer.Close()
		expectCheck(t, ctx, newcomer, "", notServing)
		expectCheck(t, ctx, newcomer, shopService, notServing)
		expectCheck(t, ctx, newcomer, "liveness", serving)
		late := watch(t, ctx, newcomer, "late stranger")
		expectStatus(t, late, notServing)

		for _, stream := range watches {
			expectEnd(t, stream, codes.Unavailable)
		}
		expectEnd(t, alive, codes.Unavailable)
		expectEnd(t, late, codes.Unavailable)
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("watches end after %v, want after the drain delay, 5s", waited)
		}
		if err := <-inFlight; err != nil {
			t.Errorf("the call in flight failed: %v", err)
		}
		if err := <-s.result; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(began); took != 8*time.Second {
			t.Errorf("the drain took %v, want 8s, as long as the last call", took)
		}
		if s.Phase() != servicer.Stopped {
			t.Errorf("phase %v, want stopped", s.Phase())
		}
	})
}

func TestCallsAreCutOffAtShutdownTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  servicer.Config
		want time.Duration
	}{
		"default":   {servicer.Config{}, 25 * time.Second},
		"own times": {servicer.Config{DrainDelay: time.Second, ShutdownTimeout: 2 * time.Second}, 3 * time.Second},
		"no times":  {servicer.Config{DrainDelay: -1, ShutdownTimeout: -1}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, overMemory(t), tt.cfg)
				client := s.link.dial(t)
				defer client.Close()
				inFlight := make(chan error, 1)
				go func() { inFlight <- get(t.Context(), client, "until cancelled") }()
				synctest.Wait()
				began := time.Now()
				s.end()
				if err := <-s.result; !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Serve: %v, want DeadlineExceeded", err)
				}
				if took := time.Since(began); took != tt.want {
					t.Errorf("the end took %v, want %v", took, tt.want)
				}
				if err := <-inFlight; status.Code(err) != codes.Unavailable {
					t.Errorf("the call that was cut off got %v, want UNAVAILABLE", err)
				}
			})
		})
	}
}

func TestDrainDelayCountsFromFirstCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		synctest.Wait()
		began := time.Now()
		announced := make(chan error, 1)
		go func() { announced <- s.Drain(t.Context()) }()
		time.Sleep(3 * time.Second)
		s.end()
		if err := <-s.result; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the drain took %v from its first call, want 5s", took)
		}
		if err := <-announced; err != nil {
			t.Errorf("Drain: %v", err)
		}
	})
}

func TestDrainStopsServerServedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := overMemory(t)
		s, server := newServer(t, servicer.Config{}), l.newServer()
		s.RegisterHealth(server)
		result := make(chan error)
		go func() { result <- server.Serve(l.lis) }()
		client := l.dial(t)
		defer client.Close()
		stream := watch(t, t.Context(), client, "")
		expectStatus(t, stream, serving)
		drained := make(chan error)
		go func() { drained <- s.Drain(t.Context(), server) }()
		expectStatus(t, stream, notServing)
		expectEnd(t, stream, codes.Unavailable)
		if err := errors.Join(<-drained, <-result); err != nil {
			t.Error(err)
		}
	})
}

func TestDrainSkipsDelayWhenContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		client := s.link.dial(t)
		defer client.Close()
		go func() { _ = get(t.Context(), client, "until cancelled") }()
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, fmt.Errorf("second signal"))
		defer cancel()
		if err := s.Drain(ctx, s.server); err == nil || !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("Drain: %v, want the cause of its context", err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("Drain took %v, want 1s and a second for connections without calls", took)
		}
		<-s.result
	})
}

func TestDrainOfAStoppedServerHasNoDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{DrainDelay: time.Hour})
		hurried, cancel := context.WithCancel(t.Context())
		cancel()
		for _, ctx := range []context.Context{hurried, t.Context()} {
			began := time.Now()
			if err := s.Drain(ctx); err != nil || s.Phase() != servicer.Stopped || time.Since(began) > 0 {
				t.Errorf("got %v and phase %v after %v, want stopped at once", err, s.Phase(), time.Since(began))
			}
		}
	})
}

func TestServeAllDrainsServersTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		work, probes := overMemory(t), overMemory(t)
		endpoints := []servicer.Endpoint{{Server: work.newServer(), Listener: work.lis}, {Server: probes.newServer(), Listener: probes.lis}}
		endpoints[0].Server.RegisterService(&shopDesc, new(shop))
		s.RegisterHealth(endpoints[1].Server)
		ctx, end := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- s.ServeAll(ctx, endpoints...) }()
		synctest.Wait()

		client, prober := work.dial(t), probes.dial(t)
		defer client.Close()
		defer prober.Close()
		expectCheck(t, ctx, prober, shopService, serving)
		if err := get(ctx, client, "now"); err != nil {
			t.Error(err)
		}
		end()
		synctest.Wait()
		expectCheck(t, t.Context(), prober, shopService, notServing)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

func TestPhaseIsDrainingUntilTheLastOfOverlappingDrainsHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		client := s.link.dial(t)
		defer client.Close()
		inFlight := make(chan error, 1)
		go func() { inFlight <- get(t.Context(), client, "10s") }()
		synctest.Wait()
		s.end()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for _, ctx := range []context.Context{t.Context(), ended} {
			if err := s.Drain(ctx); err != nil {
				t.Errorf("Drain: %v", err)
			}
			if s.Phase() != servicer.Draining {
				t.Errorf("phase %v while a server is stopping, want draining", s.Phase())
			}
		}
		if err := errors.Join(<-inFlight, <-s.result); err != nil {
			t.Error(err)
		}
		if s.Phase() != servicer.Stopped {
			t.Errorf("phase %v, want stopped", s.Phase())
		}
	})
}
