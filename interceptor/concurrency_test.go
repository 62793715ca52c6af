package interceptor_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

// Counters never fall and never contradict each other, while calls run, names appear, slots turn and GOMAXPROCS
// changes.
func TestSnapshotsAreConsistentWhileCallsRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	rec := newRecorder(t, interceptor.Config{Window: 10 * time.Millisecond, MaxMethods: 50})
	errs := []error{
		nil, nil, status.Error(codes.Internal, "x"), status.Error(codes.NotFound, "x"), context.DeadlineExceeded,
		context.Canceled,
	}
	const workers, calls = 8, 4000
	shortDeadline, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	var work sync.WaitGroup
	var done atomic.Bool
	for w := range workers {
		work.Go(func() {
			for i := range calls {
				ctx := t.Context()
				if i%7 == 0 {
					ctx = shortDeadline
				}
				err := errs[(i+w)%len(errs)]
				_ = unary(ctx, rec, fmt.Sprintf("/a.B/M%d", i%60), func(context.Context, any) (any, error) { return nil, err })
				if i == calls/2 && w == 0 {
					rec.Register(shop)
				}
			}
		})
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		for n := 1; !done.Load(); n = n%4 + 1 {
			runtime.GOMAXPROCS(n)
			runtime.Gosched()
		}
	})
	for range 2 {
		readers.Go(func() {
			last := rec.Server()
			for !done.Load() {
				next := rec.Server()
				checkAfter(t, last, next)
				last = next
			}
		})
	}
	work.Wait()
	done.Store(true)
	readers.Wait()
	s := rec.Server().Total
	if s.Started != workers*calls || s.Handled != workers*calls || s.Latency.Count() != workers*calls {
		t.Errorf("started %d, handled %d, in the histogram %d; want %d", s.Started, s.Handled, s.Latency.Count(), workers*calls)
	}
}

func checkAfter(t *testing.T, last, next *interceptor.Snapshot) {
	a, b := &last.Total, &next.Total
	if b.Started < a.Started || b.Handled < a.Handled || b.Failures < a.Failures || b.Latency.Sum < a.Latency.Sum {
		t.Errorf("a counter fell: %+v, then %+v", a, b)
	}
	if b.Handled > b.Started {
		t.Errorf("handled %d of %d started", b.Handled, b.Started)
	}
	var handled uint64
	for code := range codes.Code(interceptor.NumCodes) {
		if b.ByCode(code) < a.ByCode(code) {
			t.Errorf("%v fell from %d to %d", code, a.ByCode(code), b.ByCode(code))
		}
		handled += b.ByCode(code)
	}
	if handled != b.Handled {
		t.Errorf("the codes add up to %d of %d", handled, b.Handled)
	}
	for i := range b.Latency.Counts {
		if b.Latency.Counts[i] < a.Latency.Counts[i] {
			t.Errorf("bucket %d fell", i)
		}
	}
	w := next.Window
	if w.Requests > b.Handled || w.Failures > w.Requests || w.LatencySamples > b.Started {
		t.Errorf("window %+v of %d handled", w, b.Handled)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	rec := newRecorder(t, interceptor.Config{})
	rec.Register(shop)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone, leave := context.WithCancel(t.Context())
	leave()
	get := &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}
	unknown := &grpc.UnaryServerInfo{FullMethod: "/no.Such/Get"}
	follow := &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsServerStream: true}
	fails := func(err error) grpc.UnaryHandler { return func(context.Context, any) (any, error) { return nil, err } }
	broken := fails(status.Error(codes.Internal, "x"))
	wrapped := fails(fmt.Errorf("get: %w", status.Error(codes.Internal, "x")))
	late := fails(context.DeadlineExceeded)
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	var stream grpc.ServerStream = idleStream{ctx: ctx}
	whole, wholeStream := rec.ServerInterceptors()
	quiet := func(any, grpc.ServerStream) error { return nil }
	talking := func(_ any, s grpc.ServerStream) error {
		for range 1000 {
			_, _ = s.SendMsg(nil), s.RecvMsg(nil)
		}
		return nil
	}
	tests := map[string]struct {
		run  func()
		want float64
	}{
		"unary ok":            {func() { _, _ = rec.UnaryServerInterceptor(ctx, nil, get, okHandler) }, 0},
		"unary error":         {func() { _, _ = rec.UnaryServerInterceptor(ctx, nil, get, broken) }, 0},
		"unary wrapped error": {func() { _, _ = rec.UnaryServerInterceptor(ctx, nil, get, wrapped) }, 0},
		"unary late":          {func() { _, _ = rec.UnaryServerInterceptor(ctx, nil, get, late) }, 0},
		"unary caller gone":   {func() { _, _ = rec.UnaryServerInterceptor(gone, nil, get, okHandler) }, 0},
		"unary unknown name":  {func() { _, _ = rec.UnaryServerInterceptor(ctx, nil, unknown, okHandler) }, 0},
		"recovering ok":       {func() { _, _ = whole(ctx, nil, get, okHandler) }, 0},
		"recovering error":    {func() { _, _ = whole(ctx, nil, get, broken) }, 0},
		"recovering stream":   {func() { _ = wholeStream(rec, stream, follow, quiet) }, 1},
		"client unary":        {func() { _ = rec.UnaryClientInterceptor(ctx, "/a.B/C", nil, nil, nil, invoke) }, 0},
		"stream open, close":  {func() { _ = rec.StreamServerInterceptor(rec, stream, follow, quiet) }, 1},
		"stream of messages":  {func() { _ = rec.StreamServerInterceptor(rec, stream, follow, talking) }, 1},
	}
	for name, test := range tests {
		if got := testing.AllocsPerRun(200, test.run); got > test.want {
			t.Errorf("%s allocates %v times, want %v at most", name, got, test.want)
		}
	}
}
