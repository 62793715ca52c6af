package servicer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
)

func TestEveryChangeReachesTenThousandWatches(t *testing.T) {
	s := newServer(t, servicer.Config{})
	s.SetServingStatus("a", serving)
	ctx, leave := context.WithCancel(t.Context())
	const watchers = 10_000
	var told, watches sync.WaitGroup
	told.Add(watchers)
	for range watchers {
		last := servingStatus(-1)
		stream := &fakeStream{ctx: ctx, send: func(status servingStatus) error {
			if status == last {
				t.Errorf("%v was sent twice", status)
			}
			last = status
			told.Done()
			return nil
		}}
		watches.Go(func() { _ = s.Watch(&healthpb.HealthCheckRequest{Service: "a"}, stream) })
	}
	told.Wait()
	for n := range 20 {
		told.Add(watchers)
		s.SetServingStatus("a", []servingStatus{notServing, serving}[n%2])
		told.Wait() // blocks if one of them misses the change
	}
	if got := s.Report().WatchStreams; got != watchers {
		t.Errorf("the report counts %d watches, want %d", got, watchers)
	}
	leave()
	watches.Wait()
	s.SetServingStatus("b", serving)
	if got := s.Report().WatchStreams; got != 0 {
		t.Errorf("the report counts %d watches after all have left", got)
	}
}

func TestEveryChangeReachesAThousandClients(t *testing.T) {
	s, l := newServer(t, servicer.Config{}), overTCP(t)
	server := l.newServer()
	s.RegisterHealth(server)
	go func() { _ = server.Serve(l.lis) }()
	defer server.Stop()
	s.SetServingStatus("a", serving)
	var streams []watchClient
	for range 10 {
		client := l.dial(t)
		defer client.Close()
		for range 100 {
			stream := watch(t, t.Context(), client, "a")
			expectStatus(t, stream, serving)
			streams = append(streams, stream)
		}
	}
	for n := range 5 {
		want := []servingStatus{notServing, serving}[n%2]
		s.SetServingStatus("a", want)
		for _, stream := range streams {
			expectStatus(t, stream, want)
		}
	}
}

func TestThousandOpenWatchesDoNotDelayStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, overMemory(t), servicer.Config{})
		client := s.link.dial(t)
		defer client.Close()
		// Every third one is of an unknown name; every fifth one never reads.
		var readers sync.WaitGroup
		var drained atomic.Int64
		want := int64(0)
		for n := range 1000 {
			name := shopService
			if n%3 == 0 {
				name = fmt.Sprint("stranger", n)
			}
			stream := watch(t, t.Context(), client, name)
			if n%5 == 0 {
				continue
			}
			want++
			readers.Go(func() {
				last := servingStatus(-1)
				for {
					response, err := stream.Recv()
					if err == nil {
						last = response.Status
						continue
					}
					if status.Code(err) != codes.Unavailable || last != notServing {
						t.Errorf("watch of %q: got %v, then ended with %v; want NOT_SERVING, then UNAVAILABLE", name, last, err)
					}
					drained.Add(1)
					return
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		s.end()
		if err := <-s.result; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the drain took %v, want no longer than its delay, 5s", took)
		}
		readers.Wait()
		if got := drained.Load(); got != want {
			t.Errorf("%d readers saw the end, want %d", got, want)
		}
	})
}

func TestBlockedWatchDelaysNoOther(t *testing.T) {
	s := newServer(t, servicer.Config{DrainDelay: -1, ShutdownTimeout: time.Second})
	ctx, leave := context.WithCancel(t.Context())
	blocked := make(chan struct{})
	stream := &fakeStream{ctx: ctx, send: func(servingStatus) error {
		close(blocked)
		<-ctx.Done()
		return ctx.Err()
	}}
	var stuck sync.WaitGroup
	stuck.Go(func() { _ = s.Watch(&healthpb.HealthCheckRequest{}, stream) })
	<-blocked
	other := startWatch(t, s, "", nil)
	if err := other.admitted(); err != nil {
		t.Fatal(err)
	}
	// Neither a change nor the end waits for the one that is stuck.
	s.SetServingStatus("", notServing)
	if got := <-other.sent; got != notServing {
		t.Errorf("got %v, want NOT_SERVING", got)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-other.ended; status.Code(err) != codes.Unavailable {
		t.Errorf("ended with %v, want UNAVAILABLE", err)
	}
	leave()
	stuck.Wait()
}

func TestReadersAreNotBlockedByWriters(t *testing.T) {
	s := newServer(t, servicer.Config{MaxWatches: -1})
	ctx, end := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for _, name := range []string{"", "a", "b"} {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				s.SetServingStatus(name, servingStatus(1+n%2))
			}
		})
	}
	var errs []error
	for range 10_000 {
		_, err := s.Check(ctx, &healthpb.HealthCheckRequest{})
		errs = append(errs, err)
		_, err = s.List(ctx, &healthpb.HealthListRequest{})
		errs = append(errs, err)
	}
	end()
	writers.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
