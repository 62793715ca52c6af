package interceptor_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
)

type traceKey struct{}

// traced is a context of a call in a trace; the empty one is not sampled.
func traced(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// traceOf is a Config.Exemplar.
func traceOf(ctx context.Context) map[string]string {
	if id, _ := ctx.Value(traceKey{}).(string); id != "" {
		return map[string]string{"trace_id": id}
	}
	return nil
}

// taking is a handler that takes so long and ends with a code.
func taking(took time.Duration, code codes.Code) grpc.UnaryHandler {
	return func(context.Context, any) (any, error) {
		time.Sleep(took)
		return nil, status.Error(code, "")
	}
}

// examples returns the trace of each exemplar of a method, by its code and latency.
func examples(t *testing.T, rec *interceptor.Recorder, name string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, e := range method(t, rec.Server(), "shop.v1.Orders", name).Exemplars {
		found[e.Code.String()+" "+e.Latency.String()] = e.Labels["trace_id"]
	}
	return found
}

const place = "/shop.v1.Orders/Place"

func TestExemplarsAreTheNewestOfTheirKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{Exemplar: traceOf})
		for _, call := range []struct {
			trace string
			took  time.Duration
			code  codes.Code
			pause time.Duration
		}{
			{"fast", time.Millisecond, codes.OK, 0},
			{"", 300 * time.Millisecond, codes.OK, 0}, // not sampled
			{"", 30 * time.Millisecond, codes.OK, 0},
			{"first", 300 * time.Millisecond, codes.OK, 0},
			{"too soon", 400 * time.Millisecond, codes.OK, 0},
			{"failed", 400 * time.Millisecond, codes.Internal, 0},
			{"missing", 450 * time.Millisecond, codes.NotFound, time.Second}, // a failure long after the other
			{"second", 500 * time.Millisecond, codes.OK, 0},                  // a bound is within its step
			{"slow", 501 * time.Millisecond, codes.OK, 0},
			{"hung", time.Hour, codes.DeadlineExceeded, 0},
		} {
			time.Sleep(call.pause)
			_ = unary(traced(t.Context(), call.trace), rec, place, taking(call.took, call.code))
		}
		want := map[string]string{
			"OK 1ms": "fast", "OK 500ms": "second", "NotFound 450ms": "missing", "OK 501ms": "slow", "DeadlineExceeded 1h0m0s": "hung",
		}
		if got := examples(t, rec, "Place"); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		list := method(t, rec.Server(), "shop.v1.Orders", "Place").Exemplars
		for i, e := range list {
			if i > 0 && e.Latency < list[i-1].Latency && e.Code == codes.OK && list[i-1].Code == codes.OK {
				t.Errorf("%v follows %v", e.Latency, list[i-1].Latency)
			}
		}
		if last := list[len(list)-1]; !last.Time.Equal(time.Now()) {
			t.Errorf("the last call ended at %v, want %v", last.Time, time.Now())
		}
	})
}

// Every way in has exemplars, and the totals tell what the snapshot tells.
func TestExemplarsOfAllInterceptors(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{Exemplar: traceOf})
	ctx := traced(t.Context(), "t")
	stream := &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsServerStream: true}
	_ = rec.StreamServerInterceptor(rec, idleStream{ctx: ctx}, stream, func(any, grpc.ServerStream) error { return errors.New("gone") })
	_ = unary(ctx, rec, place, okHandler)
	_ = unary(ctx, rec, "/shop.v1.Orders/Get", okHandler)
	_ = rec.UnaryClientInterceptor(ctx, place, nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		return status.Error(codes.Unavailable, "")
	})
	_, _ = rec.StreamClientInterceptor(ctx, &grpc.StreamDesc{}, nil, "/shop.v1.Orders/Follow",
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return nil, status.Error(codes.Unavailable, "")
		})
	for side, methods := range map[string][]interceptor.Method{"server": rec.Server().Methods, "client": rec.Client().Methods} {
		if want := map[string]int{"server": 3, "client": 2}[side]; len(methods) != want {
			t.Errorf("%d methods of the %s, want %d", len(methods), side, want)
		}
		for _, m := range methods {
			if len(m.Exemplars) != 1 || m.Exemplars[0].Labels["trace_id"] != "t" {
				t.Errorf("%s %s: %+v", side, m.Name, m.Exemplars)
			}
		}
	}
	i, methods := 0, rec.Server().Methods
	for m := range rec.ServerTotals() {
		if len(m.Exemplars) != 1 || m.Exemplars[0].Code != methods[i].Exemplars[0].Code {
			t.Errorf("%s: the totals have %+v", m.Name, m.Exemplars)
		}
		i++
	}
}

// The cost is bounded: who has answered is left alone for a second.
func TestExemplarIsReplacedOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		rec := newRecorder(t, interceptor.Config{Exemplar: func(context.Context) map[string]string {
			asked++
			return map[string]string{"n": "1"}
		}})
		for range 3 {
			for range 100 {
				_ = unary(t.Context(), rec, place, okHandler)
			}
			time.Sleep(time.Second)
		}
		if asked != 3 {
			t.Errorf("asked %d times within three seconds", asked)
		}
	})
}

func TestPanicOfExemplarIsRecovered(t *testing.T) {
	var log logtest.Log
	logger, flush := log.Logger()
	rec := newRecorder(t, interceptor.Config{
		Exemplar: func(context.Context) map[string]string { panic("no trace") },
		Logger:   logger,
	})
	for range 3 {
		if err := unary(t.Context(), rec, place, okHandler); err != nil {
			t.Error(err)
		}
	}
	if got := rec.Server().Total.ByCode(codes.OK); got != 3 {
		t.Errorf("%d calls ended well, want 3", got)
	}
	flush()
	if got := strings.Count(log.String(), "Config.Exemplar panicked"); got != 1 || !strings.Contains(log.String(), "no trace") {
		t.Errorf("logged %d times: %s", got, log.String())
	}
}

func TestConcurrentExemplars(t *testing.T) {
	var asked atomic.Int64
	rec := newRecorder(t, interceptor.Config{Exemplar: func(ctx context.Context) map[string]string {
		asked.Add(1)
		return traceOf(ctx)
	}})
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 50 {
				_ = unary(traced(t.Context(), "t"), rec, place, okHandler)
				rec.Server()
			}
		})
	}
	calls.Wait()
	for _, e := range method(t, rec.Server(), "shop.v1.Orders", "Place").Exemplars {
		if e.Labels["trace_id"] != "t" || e.Latency <= 0 || e.Time.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	if asked.Load() == 0 {
		t.Error("nobody was asked")
	}
}

func TestUnsampledCallDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	rec := newRecorder(t, interceptor.Config{Exemplar: traceOf})
	ctx := traced(t.Context(), "")
	info := &grpc.UnaryServerInfo{FullMethod: place}
	if n := testing.AllocsPerRun(1000, func() { _, _ = rec.UnaryServerInterceptor(ctx, nil, info, okHandler) }); n != 0 {
		t.Errorf("a call allocates %v times", n)
	}
}
