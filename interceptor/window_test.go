package interceptor_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

// takes is a handler that takes d and returns err.
func takes(d time.Duration, err error) grpc.UnaryHandler {
	return func(context.Context, any) (any, error) {
		time.Sleep(d)
		return nil, err
	}
}

func TestWindowDropsOldCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{})
		failure := status.Error(codes.Internal, "x")
		for range 10 {
			_ = unary(t.Context(), rec, "/a.B/C", takes(time.Second, failure))
		}
		if w := rec.Server().Window; w.Requests != 10 || w.Failures != 10 || w.Span != 10*time.Second {
			t.Fatalf("window %+v, want 10 failures in 10 s", w)
		}
		time.Sleep(30 * time.Second)
		_ = unary(t.Context(), rec, "/a.B/C", takes(0, nil))
		if w := rec.Server().Window; w.Requests != 11 || w.Failures != 10 {
			t.Fatalf("window %+v, want all 11", w)
		}
		time.Sleep(30 * time.Second) // 70 s: the last failure is 60 s old.
		snap := rec.Server()
		if w := snap.Window; w.Requests != 1 || w.Failures != 0 || w.Span > time.Minute || w.Span < 55*time.Second {
			t.Fatalf("window %+v, want one success in 55 to 60 s", w)
		}
		if snap.Total.Handled != 11 || snap.Total.Failures != 10 {
			t.Fatalf("totals %d, %d: they must not forget", snap.Total.Handled, snap.Total.Failures)
		}
		_ = unary(t.Context(), rec, "/a.B/C", takes(0, status.Error(codes.ResourceExhausted, "x")))
		time.Sleep(time.Hour)
		_ = unary(t.Context(), rec, "/a.B/C", takes(0, nil))
		if w := rec.Server().Window; w.Requests != 1 || w.ResourceExhausted != 0 {
			t.Fatalf("window %+v after an hour, want the one new call", w)
		}
		time.Sleep(time.Hour)
		if w := rec.Server().Window; w.Requests != 0 || w.LatencySamples != 0 || w.P99 != 0 || w.Mean != 0 {
			t.Fatalf("window %+v after an hour of silence, want nothing", w)
		}
		_ = unary(t.Context(), rec, "/a.B/C", takes(0, nil))
		if w := rec.Server().Window; w.Requests != 1 {
			t.Fatalf("window %+v after the silence, want the one new call", w)
		}
	})
}

// The window must hold exactly the calls that ended since it begins, whoever reads it and however rarely.
func TestWindowIsExact(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) { checkWindow(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

func checkWindow(t *testing.T, random *rand.Rand) {
	window := time.Duration(random.IntN(60)+1) * time.Second
	rec := newRecorder(t, interceptor.Config{Window: window})
	birth := time.Now()
	type ended struct {
		at, took time.Duration
		failed   bool
	}
	var calls []ended
	for range 400 {
		if random.IntN(20) == 0 {
			time.Sleep(time.Duration(random.Int64N(int64(3 * window))))
		}
		took := time.Duration(math.Exp(random.Float64() * 21))
		failed := random.IntN(3) == 0
		var err error
		if failed {
			err = status.Error(codes.Unavailable, "x")
		}
		_ = unary(t.Context(), rec, "/a.B/"+string(rune('A'+random.IntN(3))), takes(took, err))
		calls = append(calls, ended{time.Since(birth), took, failed})
		if random.IntN(4) != 0 {
			continue
		}
		got := rec.Server()
		from := time.Since(birth) - got.Window.Span
		var requests, failures uint64
		var sum time.Duration
		for _, c := range calls {
			if c.at < from {
				continue
			}
			requests++
			sum += c.took
			if c.failed {
				failures++
			}
		}
		if w := got.Window; w.Requests != requests || w.Failures != failures || w.LatencySamples != requests {
			t.Fatalf("window %+v, want %d requests, %d failures", w, requests, failures)
		}
		if requests > 0 && got.Window.Mean != sum/time.Duration(requests) {
			t.Fatalf("mean %v, want %v", got.Window.Mean, sum/time.Duration(requests))
		}
		var rows interceptor.Window
		for _, m := range got.Methods {
			rows.Requests += m.Window.Requests
			rows.Failures += m.Window.Failures
			rows.LatencySamples += m.Window.LatencySamples
		}
		if rows.Requests != requests || rows.Failures != failures || rows.LatencySamples != requests {
			t.Fatalf("methods add up to %+v, want %d requests, %d failures", rows, requests, failures)
		}
	}
}

func TestWindowPercentiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{})
		for i := range 100 {
			_ = unary(t.Context(), rec, "/a.B/C", takes(time.Duration(i+1)*time.Millisecond, nil))
		}
		w := rec.ServerSummary().Window
		for name, got := range map[string][2]time.Duration{
			"P50": {w.P50, 50 * time.Millisecond}, "P90": {w.P90, 90 * time.Millisecond},
			"P99": {w.P99, 99 * time.Millisecond}, "Mean": {w.Mean, 50*time.Millisecond + 500*time.Microsecond},
		} {
			if math.Abs(float64(got[0]-got[1])) > 0.05*float64(got[1]) {
				t.Errorf("%s = %v, want about %v", name, got[0], got[1])
			}
		}
	})
}

func TestStreamsHaveNoLatencySamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{})
		info := &grpc.StreamServerInfo{FullMethod: "/a.B/Follow", IsServerStream: true}
		_ = rec.StreamServerInterceptor(rec, idleStream{ctx: t.Context()}, info, func(any, grpc.ServerStream) error {
			time.Sleep(time.Hour)
			return status.Error(codes.Internal, "x")
		})
		_ = unary(t.Context(), rec, "/a.B/Get", takes(time.Millisecond, nil))
		w := rec.Server().Window
		if w.Requests != 2 || w.Failures != 1 || w.LatencySamples != 1 || w.Mean != time.Millisecond {
			t.Errorf("window %+v, want 2 requests, one of them timed at 1 ms", w)
		}
		follow := method(t, rec.Server(), "a.B", "Follow")
		if follow.Window.Requests != 1 || follow.Window.LatencySamples != 0 || follow.Window.Mean != 0 {
			t.Errorf("stream's window %+v, want it without latency", follow.Window)
		}
		if follow.Total.Latency.Sum != time.Hour || follow.Total.Latency.Count() != 1 {
			t.Errorf("stream's histogram holds %v, want its life", follow.Total.Latency.Sum)
		}
	})
}

func TestFrequentReadsDoNotChangeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{})
		for i := range 600 {
			_ = unary(t.Context(), rec, "/a.B/C", takes(time.Second, nil))
			w := rec.ServerSummary().Window
			if want := min(uint64(i+1), 60); w.Requests > want || w.Requests+5 < want {
				t.Fatalf("after %d s: %d requests in %v, want %d to %d", i+1, w.Requests, w.Span, want-5, want)
			}
			if want := uint64(w.Span / time.Second); w.Requests != want && w.Requests != want+1 {
				t.Fatalf("after %d s: %d requests in %v", i+1, w.Requests, w.Span)
			}
		}
	})
}

// A call that had too little time says nothing about the latency, in whichever slot of the window.
func TestExcusedCallsAreNotInTheMean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{})
		excused := func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_ = unary(ctx, rec, "/a.B/C", func(ctx context.Context, _ any) (any, error) { <-ctx.Done(); return nil, ctx.Err() })
		}
		for range 30 { // more slots than the window has
			excused()
			_ = unary(t.Context(), rec, "/a.B/C", takes(time.Second, nil))
			excused()
			if w := rec.Server().Window; w.Mean != time.Second {
				t.Fatalf("window %+v, want a mean of 1 s", w)
			}
			time.Sleep(4 * time.Second)
		}
	})
}
