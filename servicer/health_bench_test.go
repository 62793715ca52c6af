package servicer_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/servicer"
)

// Each benchmark runs grpc-go's health.Server and ours side by side:
//
//	go test -run '^$' -bench 'Check|Watch|Set' -cpu 1,2 -count 6 ./servicer

func TestCheckDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newServer(t, servicer.Config{})
	s.SetServingStatus("a", serving)
	for _, name := range []string{"", "a", "nobody"} {
		request := &healthpb.HealthCheckRequest{Service: name}
		if n := testing.AllocsPerRun(100, func() { _, _ = s.Check(t.Context(), request) }); n != 0 {
			t.Errorf("Check(%q) allocates %v times, want 0", name, n)
		}
	}
}

// contenders returns both servers, each with shop.v1.Orders serving. Ours is running, as it is in production.
func contenders(b *testing.B) map[string]subject {
	ours := newServer(b, servicer.Config{MaxWatches: -1, MaxWatchesPerConn: -1})
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = ours.Run(ctx) })
	b.Cleanup(func() { cancel(); run.Wait() })
	all := map[string]subject{"grpc-go": health.NewServer(), "ours": ours}
	for _, s := range all {
		s.SetServingStatus(shopService, serving)
	}
	return all
}

// audience are watchers of one name that report when the last of them has seen a change.
type audience struct {
	told    sync.WaitGroup
	watches sync.WaitGroup
	leave   context.CancelFunc
	size    int
}

func gather(s subject, n int) *audience {
	ctx, leave := context.WithCancel(context.Background())
	a := &audience{leave: leave, size: n}
	a.told.Add(n)
	for range n {
		stream := &fakeStream{ctx: ctx, send: func(servingStatus) error { a.told.Done(); return nil }}
		a.watches.Go(func() { _ = s.Watch(&healthpb.HealthCheckRequest{Service: shopService}, stream) })
	}
	a.told.Wait()
	return a
}

// flip sets status and returns when the last watcher has seen it.
func (a *audience) flip(s subject, status servingStatus) {
	a.told.Add(a.size)
	s.SetServingStatus(shopService, status)
	a.told.Wait()
}

func (a *audience) end() {
	a.leave()
	a.watches.Wait()
}

func BenchmarkCheck(b *testing.B) {
	for who, s := range contenders(b) {
		b.Run(who, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				request, ctx := &healthpb.HealthCheckRequest{Service: shopService}, context.Background()
				for pb.Next() {
					if _, err := s.Check(ctx, request); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkCheckWhileFlipping reports how long a Check takes at worst while 10,000 watchers are notified of a change every
// 20 ms.
func BenchmarkCheckWhileFlipping(b *testing.B) {
	for who, s := range contenders(b) {
		b.Run(who, func(b *testing.B) {
			a := gather(s, 10_000)
			ctx, quiet := context.WithCancel(context.Background())
			var flipping sync.WaitGroup
			flipping.Go(func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for n := 0; ctx.Err() == nil; n++ {
					<-tick.C
					a.flip(s, []servingStatus{notServing, serving}[n%2])
				}
			})
			request := &healthpb.HealthCheckRequest{Service: shopService}
			samples := make([]time.Duration, 0, 1<<20)
			for b.Loop() {
				start := time.Now()
				_, _ = s.Check(ctx, request)
				if took := time.Since(start); len(samples) < cap(samples) {
					samples = append(samples, took)
				} else {
					samples[len(samples)-1] = max(took, samples[len(samples)-1])
				}
			}
			quiet()
			flipping.Wait()
			a.end()
			slices.Sort(samples)
			b.ReportMetric(float64(samples[len(samples)*9999/10000]), "p99.99-ns")
		})
	}
}

func BenchmarkSetEqual(b *testing.B) {
	for who, s := range contenders(b) {
		b.Run(who, func(b *testing.B) {
			a := gather(s, 10_000)
			defer a.end()
			b.ReportAllocs()
			for b.Loop() {
				s.SetServingStatus(shopService, serving)
			}
		})
	}
}

// BenchmarkWatchFlip measures from SetServingStatus to the last of many watchers, over streams without a network, and
// reports what a watcher holds beside its goroutine's stack.
func BenchmarkWatchFlip(b *testing.B) {
	for _, watchers := range []int{100, 1_000, 10_000, 50_000} {
		for who, s := range contenders(b) {
			b.Run(who+"/watchers="+strconv.Itoa(watchers), func(b *testing.B) {
				before := heap()
				a := gather(s, watchers)
				held := heap() - before
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					a.flip(s, []servingStatus{notServing, serving}[n%2])
				}
				a.end()
				s.SetServingStatus(shopService, serving)
				b.ReportMetric(float64(held)/float64(watchers), "heap-B/watcher")
			})
		}
	}
}
