package servicer_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// countedReads is a breaker source without breakers that counts how often it is read, as often as all sources are.
type countedReads struct{ n atomic.Int64 }

func (c *countedReads) Snapshots() []breaker.Snapshot { c.n.Add(1); return nil }
func (c *countedReads) Changed() <-chan struct{}      { return nil }

// TestIdleServerReadsNothing lets calls begin, end and hang after long pauses. The report shows each within two seconds;
// when the window is empty again, the sources are no longer read.
func TestIdleServerReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		reads := new(countedReads)
		s, err := servicer.New(servicer.Config{Recorder: recorder, Breakers: []breaker.SnapshotSource{reads}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		defer group.Wait()
		defer cancel()
		group.Go(func() { _ = s.Run(ctx) })
		call := func(handler grpc.UnaryHandler) {
			_, _ = recorder.UnaryServerInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"}, handler)
		}
		pass := func(context.Context, any) (any, error) { return nil, nil }
		idle := func(what string, most int64) {
			t.Helper()
			time.Sleep(2 * time.Minute)
			before := reads.n.Load()
			time.Sleep(time.Hour)
			if n := reads.n.Load() - before; n > most {
				t.Errorf("%s: sources were read %d times in an idle hour, want at most %d", what, n, most)
			}
		}
		soon := func(what string, handled, failures, inFlight uint64) {
			t.Helper()
			time.Sleep(2 * time.Second)
			total := s.Report().Requests.Total
			if total.Handled != handled || total.Failures != failures || total.InFlight() != inFlight {
				t.Errorf("%s: got %d calls, %d failures, %d in flight, want %d, %d, %d", what,
					total.Handled, total.Failures, total.InFlight(), handled, failures, inFlight)
			}
		}
		idle("before the first call", 0)
		call(pass)
		soon("first call", 1, 0, 0)
		idle("after a call", 0)
		call(pass)
		soon("call after a pause", 2, 0, 0)
		idle("after two calls", 0)
		release := make(chan struct{})
		group.Go(func() {
			call(func(context.Context, any) (any, error) { <-release; return nil, errors.New("broken") })
		})
		soon("call that hangs", 2, 0, 1)
		idle("while a call hangs", 361)
		close(release)
		soon("call that hung", 3, 1, 0)
		if w := s.Report().Requests.Window; w.Requests != 1 || w.Failures != 1 {
			t.Errorf("window: got %d calls and %d failures, want 1 and 1", w.Requests, w.Failures)
		}
		idle("after all calls", 0)
		if w := s.Report().Requests.Window; w.Requests != 0 {
			t.Errorf("window after an hour: got %d calls, want none", w.Requests)
		}
		// Messages of a stream notify nothing.
		stream := &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsServerStream: true}
		release = make(chan struct{})
		group.Go(func() {
			_ = recorder.StreamServerInterceptor(nil, messages{ctx}, stream, func(_ any, stream grpc.ServerStream) error {
				time.Sleep(5 * time.Minute)
				_ = stream.SendMsg(nil)
				<-release
				return nil
			})
		})
		time.Sleep(5*time.Minute + 11*time.Second)
		if n := s.Report().Requests.Total.MsgSent; n != 3 {
			t.Errorf("%d messages 11 s after one on a quiet stream, want that of the stream and two responses", n)
		}
		close(release)
	})
}

// passing is a breaker source that is open until a moment and notifies nothing.
type passing struct{ retryAt time.Time }

func (p passing) Snapshots() []breaker.Snapshot {
	if time.Now().Before(p.retryAt) {
		return []breaker.Snapshot{{Name: "db", State: breaker.Open, RetryAt: p.retryAt}}
	}
	return []breaker.Snapshot{{Name: "db", State: breaker.HalfOpen}}
}

func (passing) Changed() <-chan struct{} { return nil }

func TestCallOnAnIdleServerPostponesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		due := time.Now().Add(time.Hour)
		s := newServer(t, servicer.Config{Recorder: recorder, Breakers: []breaker.SnapshotSource{passing{due}}})
		defer run(t, s.Run)()
		time.Sleep(time.Until(due) - 500*time.Millisecond)
		_ = recorder.Begin(t.Context(), "queue", "Take")
		time.Sleep(time.Until(due))
		synctest.Wait()
		if all := s.Report().Breakers; len(all) != 1 || all[0].State != breaker.HalfOpen {
			t.Errorf("got %+v at the end of the open time, want half-open", all)
		}
	})
}

// messages is a stream that takes all messages.
type messages struct{ ctx context.Context }

func (m messages) Context() context.Context   { return m.ctx }
func (messages) SendMsg(any) error            { return nil }
func (messages) RecvMsg(any) error            { return nil }
func (messages) SetHeader(metadata.MD) error  { return nil }
func (messages) SendHeader(metadata.MD) error { return nil }
func (messages) SetTrailer(metadata.MD)       {}
