package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

// The controls and the subjects run in one binary, so that each goal is a ratio within one run:
//
//	go test -run '^$' -bench . -cpu 1,2 -count 6 ./interceptor
//
// Unary/ok to TwoClocks, Unary/error to Unary/ok, Unary at 2 cores to Unary at 1, Message to AtomicAdd,
// Methods/1000 to Methods/10.

func okHandler(context.Context, any) (any, error) { return nil, nil }

func BenchmarkControlBare(b *testing.B) {
	ctx := b.Context()
	handler := grpc.UnaryHandler(okHandler)
	for b.Loop() {
		_, _ = handler(ctx, nil)
	}
}

var sink time.Duration

func BenchmarkControlTwoClocks(b *testing.B) {
	base := time.Now()
	for b.Loop() {
		start := time.Since(base)
		sink = time.Since(base) - start
	}
}

func BenchmarkControlAtomicAdd(b *testing.B) {
	var n atomic.Uint64
	for b.Loop() {
		n.Add(1)
	}
}

func benchmarkUnary(b *testing.B, goroutines int, handler grpc.UnaryHandler) {
	b.Helper()
	benchmarkConfigured(b, interceptor.Config{}, goroutines, handler)
}

func benchmarkConfigured(b *testing.B, config interceptor.Config, goroutines int, handler grpc.UnaryHandler) {
	b.Helper()
	rec := newRecorder(b, config)
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
	rec.Register(services{"shop.v1.Orders": {Methods: []grpc.MethodInfo{{Name: "Get"}}}})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	b.SetParallelism(goroutines)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = rec.UnaryServerInterceptor(ctx, nil, info, handler)
		}
	})
}

func BenchmarkUnary(b *testing.B) {
	failure := status.Error(codes.Internal, "broken")
	caller := status.Error(codes.NotFound, "no such order")
	plain := errors.New("broken")
	failing := func(err error) grpc.UnaryHandler {
		return func(context.Context, any) (any, error) { return nil, err }
	}
	b.Run("ok", func(b *testing.B) { benchmarkUnary(b, 1, okHandler) })
	b.Run("ok-64-per-core", func(b *testing.B) { benchmarkUnary(b, 64, okHandler) })
	b.Run("error", func(b *testing.B) { benchmarkUnary(b, 1, failing(failure)) })
	b.Run("caller-error", func(b *testing.B) { benchmarkUnary(b, 1, failing(caller)) })
	b.Run("plain-error", func(b *testing.B) { benchmarkUnary(b, 1, failing(plain)) })
	// Exemplars of calls of which none is sampled, and of which all are.
	for name, labels := range map[string]map[string]string{"ok-exemplar-none": nil, "ok-exemplar-all": {"trace_id": "1"}} {
		config := interceptor.Config{Exemplar: func(context.Context) map[string]string { return labels }}
		b.Run(name, func(b *testing.B) { benchmarkConfigured(b, config, 1, okHandler) })
	}
}

func BenchmarkMethods(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rec := newRecorder(b, interceptor.Config{})
			infos := make([]*grpc.UnaryServerInfo, n)
			methods := make([]grpc.MethodInfo, n)
			for i := range n {
				methods[i].Name = fmt.Sprintf("Method%d", i)
				infos[i] = &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/" + methods[i].Name}
			}
			rec.Register(services{"shop.v1.Orders": {Methods: methods}})
			ctx, i := b.Context(), 0
			for b.Loop() {
				_, _ = rec.UnaryServerInterceptor(ctx, nil, infos[i], okHandler)
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	info := &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsServerStream: true, IsClientStream: true}
	b.Run("message", func(b *testing.B) {
		rec := newRecorder(b, interceptor.Config{})
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			_ = rec.StreamServerInterceptor(rec, idleStream{ctx: context.Background()}, info,
				func(_ any, s grpc.ServerStream) error {
					for pb.Next() {
						_ = s.SendMsg(nil)
					}
					return nil
				})
		})
	})
	b.Run("open-close", func(b *testing.B) {
		rec := newRecorder(b, interceptor.Config{})
		var stream grpc.ServerStream = idleStream{ctx: b.Context()}
		handler := func(any, grpc.ServerStream) error { return nil }
		b.ReportAllocs()
		for b.Loop() {
			_ = rec.StreamServerInterceptor(rec, stream, info, handler)
		}
	})
}

// BenchmarkRead measures readers of a Recorder all of whose methods and stripes are in use.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{100, 1000} {
		rec := newRecorder(b, interceptor.Config{})
		for i := range n {
			info := &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Method%d", i)}
			done := make(chan struct{})
			for range 2 * runtime.GOMAXPROCS(0) {
				go func() {
					_, _ = rec.UnaryServerInterceptor(context.Background(), nil, info, okHandler)
					done <- struct{}{}
				}()
			}
			for range 2 * runtime.GOMAXPROCS(0) {
				<-done
			}
		}
		b.Run(fmt.Sprintf("snapshot-%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rec.Server()
			}
		})
		b.Run(fmt.Sprintf("summary-%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rec.ServerSummary()
			}
		})
	}
}

type tenantKey struct{}

// BenchmarkRecorderByContext is Unary with a recorder chosen by a value of the context, for labels of a metric.
func BenchmarkRecorderByContext(b *testing.B) {
	recorders := map[string]*interceptor.Recorder{}
	for _, tenant := range []string{"free", "paid", "other"} {
		recorders[tenant] = newRecorder(b, interceptor.Config{})
		recorders[tenant].Register(shop)
	}
	ctx := context.WithValue(b.Context(), tenantKey{}, "paid")
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
	for b.Loop() {
		tenant, _ := ctx.Value(tenantKey{}).(string)
		_, _ = recorders[tenant].UnaryServerInterceptor(ctx, nil, info, okHandler)
	}
}
