package interceptor_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

func TestCodeBoundsAreBoundsOfTheHistogram(t *testing.T) {
	for _, bound := range interceptor.CodeBounds() {
		found := false
		for i := range bucketsLen() {
			found = found || interceptor.BucketBound(i) == time.Duration(bound*1e9)
		}
		if !found {
			t.Errorf("%v s is no bound of the histogram: the conversion would not be exact", bound)
		}
	}
}

// Each code has its own latency, exact in count, sum and bucket; together they are the whole.
func TestLatencyOfEachCode(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	calls := []struct {
		code  codes.Code
		took  time.Duration
		times int
	}{
		{codes.OK, time.Millisecond, 3},
		{codes.OK, 60 * time.Millisecond, 2},
		{codes.NotFound, 5 * time.Millisecond, 4}, // a bound holds what equals it
		{codes.NotFound, 20 * time.Second, 1},
		{codes.Internal, 700 * time.Millisecond, 1},
	}
	for _, c := range calls {
		post(t, rec, c.code, c.took, c.times)
	}
	m := method(t, rec.Server(), "shop.v1.Orders", "Get")
	var sum time.Duration
	for code := range codes.Code(interceptor.NumCodes) {
		var want interceptor.CodeLatency
		for _, c := range calls {
			if c.code == code {
				if want.Counts == nil {
					want.Counts = make([]uint64, len(interceptor.CodeBounds())+1)
				}
				want.Counts[bucketIn(c.took)] += uint64(c.times)
				want.Sum += time.Duration(c.times) * c.took
			}
		}
		got := m.LatencyOf(code)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v, want %+v", code, got, want)
		}
		var n uint64
		for _, count := range got.Counts {
			n += count
		}
		if n != m.Total.ByCode(code) {
			t.Errorf("%v: the buckets hold %d calls, ByCode says %d", code, n, m.Total.ByCode(code))
		}
		sum += got.Sum
	}
	if sum != m.Total.Latency.Sum {
		t.Errorf("the codes took %v, all calls %v", sum, m.Total.Latency.Sum)
	}
	if got := m.LatencyOf(interceptor.NumCodes); got.Counts != nil || got.Sum != 0 {
		t.Errorf("a code that does not exist has a latency: %+v", got)
	}
}

func TestLatencyOfOKWithoutOthers(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	post(t, rec, codes.OK, 30*time.Millisecond, 2)
	m := method(t, rec.Server(), "shop.v1.Orders", "Get")
	want := interceptor.CodeLatency{Counts: make([]uint64, len(interceptor.CodeBounds())+1), Sum: 60 * time.Millisecond}
	want.Counts[bucketIn(30*time.Millisecond)] = 2
	if got := m.LatencyOf(codes.OK); !reflect.DeepEqual(got, want) {
		t.Errorf("OK: %+v, want %+v", got, want)
	}
	if got := m.LatencyOf(codes.Internal); got.Counts != nil || got.Sum != 0 {
		t.Errorf("Internal: %+v, want none", got)
	}
}

// Excused calls are DeadlineExceeded to their callers, and so they are here.
func TestShortDeadlineCountsAsDeadlineExceeded(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{MinDeadline: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_ = unary(ctx, rec, "/shop.v1.Orders/Get", func(context.Context, any) (any, error) {
		return nil, status.Error(codes.DeadlineExceeded, "")
	})
	m := method(t, rec.Server(), "shop.v1.Orders", "Get")
	var n uint64
	for _, count := range m.LatencyOf(codes.DeadlineExceeded).Counts {
		n += count
	}
	if n != 1 || m.Total.Failures != 0 {
		t.Errorf("%d calls with DeadlineExceeded and %d failures, want 1 and 0", n, m.Total.Failures)
	}
}

func bucketIn(d time.Duration) int {
	for i, bound := range interceptor.CodeBounds() {
		if d.Seconds() <= bound {
			return i
		}
	}
	return len(interceptor.CodeBounds())
}

// post records calls that took exactly this long.
func post(t *testing.T, rec *interceptor.Recorder, code codes.Code, took time.Duration, times int) {
	t.Helper()
	for range times {
		rec.Observe("/shop.v1.Orders/Get", code, took)
	}
}

// Calls go on while somebody reads: no count of any code may ever fall, for that looks like a restart.
func TestLatencyOfNeverDecreases(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 30_000 {
			post(t, rec, []codes.Code{codes.OK, codes.NotFound, codes.Internal}[i%3], time.Duration(i)*time.Microsecond, 1)
			if i%1000 == 0 { // a fresh method, whose places are made while it is read
				_ = unary(t.Context(), rec, "/shop.v1.Orders/M"+string(rune('A'+i/1000)), func(context.Context, any) (any, error) {
					return nil, status.Error(codes.Internal, "")
				})
			}
		}
	}()
	last := map[string]interceptor.CodeLatency{}
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		snapshot := rec.Server()
		for i := range snapshot.Methods {
			m := &snapshot.Methods[i]
			for code := range codes.Code(interceptor.NumCodes) {
				key, now := m.Name+code.String(), m.LatencyOf(code)
				for bucket, n := range now.Counts {
					if counts := last[key].Counts; counts != nil && n < counts[bucket] {
						t.Fatalf("%s fell from %+v to %+v", key, last[key], now)
					}
				}
				last[key] = now
			}
		}
	}
}
