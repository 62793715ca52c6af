package opencalls_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/opencalls"
)

var errBroken = errors.New("stream broke")

// stream is a transport stream on which every operation blocks until it is ended.
type stream struct {
	grpc.ServerTransportStream

	ended chan error
}

func newStream() *stream { return &stream{ended: make(chan error, 1)} }

func (s *stream) WriteStatus(st *status.Status) error {
	s.ended <- st.Err()
	return nil
}

func (s *stream) RecvMsg(any) error {
	if err := <-s.ended; status.Code(err) == codes.Unknown {
		return err
	}
	return status.Error(codes.Canceled, "context canceled")
}

func (s *stream) Send(string) error { return s.RecvMsg(nil) }

func (s *stream) context(addr net.Addr) context.Context {
	ctx := peer.NewContext(context.Background(), &peer.Peer{Addr: addr})
	return grpc.NewContextWithServerTransportStream(ctx, s)
}

func mustOpen(t *testing.T, set *opencalls.Set, ctx context.Context) *opencalls.Call {
	t.Helper()
	call, err := set.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

func expectCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if status.Code(err) != want {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestBlockedCallsEndAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unread := make(chan any, 2)
		set := opencalls.New(opencalls.Config{Max: -1, MaxPerConn: -1, Unread: func(connection any) { unread <- connection }})
		idle := newStream()
		defer mustOpen(t, set, idle.context(nil)).Close()
		addr := &net.TCPAddr{}
		for name, block := range map[string]func(*opencalls.Call, *stream) error{
			"receive": func(c *opencalls.Call, s *stream) error { return c.Receive(s.RecvMsg, nil) },
			"send":    func(c *opencalls.Call, s *stream) error { return opencalls.Send[string](c, s, "") },
		} {
			s := newStream()
			call := mustOpen(t, set, s.context(addr))
			began := time.Now()
			expectCode(t, block(call, s), codes.DeadlineExceeded)
			if took := time.Since(began); took < 30*time.Second || took > time.Minute {
				t.Errorf("%s was ended after %v, want 30s to 1m", name, took)
			}
			expectCode(t, call.Ended(nil), codes.DeadlineExceeded)
			call.Close()
		}
		synctest.Wait()
		if len(unread) != 1 || <-unread != any(addr) {
			t.Error("Unread was not called once, with the connection of the call that sent")
		}
		if len(idle.ended) != 0 {
			t.Error("a call that did not block was ended")
		}
	})
}

func TestCallThatProceedsIsNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, s := opencalls.New(opencalls.Config{Max: -1}), newStream()
		call := mustOpen(t, set, s.context(nil))
		defer call.Close()
		for range 10 {
			go func() {
				time.Sleep(29 * time.Second)
				s.ended <- errBroken
			}()
			if err := opencalls.Send[string](call, s, ""); !errors.Is(err, errBroken) {
				t.Fatal(err)
			}
		}
	})
}

func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := opencalls.New(opencalls.Config{Max: -1, MaxPerConn: -1})
		receives, sends, idle := newStream(), newStream(), newStream()
		receiving, sending := mustOpen(t, set, receives.context(nil)), mustOpen(t, set, sends.context(nil))
		waiting := mustOpen(t, set, idle.context(nil))
		results := make(chan error, 1)
		go func() { results <- receiving.Receive(receives.RecvMsg, nil) }()
		sent := make(chan error, 1)
		go func() { sent <- opencalls.Send[string](sending, sends, "") }()
		synctest.Wait()
		began := time.Now()
		set.End()
		set.End()
		expectCode(t, <-results, codes.Unavailable)
		if took := time.Since(began); took != 0 {
			t.Errorf("the call that receives was ended after %v, want at once", took)
		}
		expectCode(t, <-sent, codes.Unavailable)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the call that sends was ended after %v, want 1s", took)
		}
		_, err := set.Open(t.Context())
		expectCode(t, err, codes.Unavailable)
		if len(idle.ended) != 0 || set.Len() != 3 {
			t.Errorf("%d calls are open, want 3, of which the waiting one was not ended", set.Len())
		}
		for _, call := range []*opencalls.Call{receiving, sending, waiting} {
			call.Close()
		}
	})
}

func TestUnaryCallsBlockForTwoSecondsAfterEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := opencalls.New(opencalls.Config{Max: -1, Unary: true})
		set.End()
		for range 3 {
			s := newStream()
			call := mustOpen(t, set, s.context(nil))
			began := time.Now()
			expectCode(t, call.Receive(s.RecvMsg, nil), codes.Unavailable)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("ended after %v, want at most 2s", took)
			}
			call.Close()
		}
		if set.Len() != 0 {
			t.Errorf("%d calls are open", set.Len())
		}
	})
}
