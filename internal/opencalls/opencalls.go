// Package opencalls bounds the open calls of a service and ends those that block. A handler of grpc-go waits without end for the
// request of a client that sends none, and in Send for a client that does not read.
package opencalls

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

const (
	// period is the time between two searches for blocked calls. A call may block for one to two periods.
	period = 30 * time.Second
	// endingPeriod replaces period after End.
	endingPeriod = time.Second
)

// Config configures a Set.
type Config struct {
	Plural     string // what the calls are, for errors
	Max        int    // open calls; negative: no limit
	MaxPerConn int    // those of one connection; negative: no limit

	// Unary makes calls possible after End, which then only shortens the time for which they may block.
	Unary bool
	// BehindHTTP, if not nil, is set by a call that came through grpc.Server.ServeHTTP.
	BehindHTTP *atomic.Bool
	// Unread, if not nil, is called with the connection of a call that was ended in Send. grpc-go queues the status of
	// such a stream behind its unread messages, so only the end of the connection ends it.
	Unread func(connection any)
}

// Set is a set of open calls. It is safe for concurrent use.
type Set struct {
	cfg        Config
	generation atomic.Uint64 // searches for blocked calls so far, and 1

	mu       sync.Mutex
	open     map[*Call]struct{} // nil when there are none: a Go map never shrinks
	perConn  map[any]int        // connections with a call; nil when there are none
	ended    bool
	timer    *time.Timer // of the next search; nil before the first call
	awaiting bool        // timer runs
}

// Call is one open call.
type Call struct {
	set        *Set
	connection any
	stream     statusWriter // nil if it cannot be ended from here

	blocked atomic.Uint64                 // 0, or 2 × the generation in which the call began to block, + 1 in Send
	ended   atomic.Pointer[status.Status] // with which the set has ended the call
}

// statusWriter is implemented by grpc-go's streams. WriteStatus ends a stream, also while other goroutines use it.
type statusWriter interface {
	WriteStatus(st *status.Status) error
}

// New returns an empty Set.
func New(cfg Config) *Set {
	s := &Set{cfg: cfg}
	s.generation.Store(1)
	return s
}

// ErrEnded returns the error of calls that End ends or rejects. It is not UNIMPLEMENTED, which clients treat as a server
// without health checks that may receive traffic.
func ErrEnded() error { return status.Error(codes.Unavailable, "server is shutting down") }

// Open adds the call of ctx, or fails with RESOURCE_EXHAUSTED, or after End with UNAVAILABLE.
func (s *Set) Open(ctx context.Context) (*Call, error) {
	c := &Call{set: s, connection: connectionOf(ctx)}
	c.stream, _ = grpc.ServerTransportStreamFromContext(ctx).(statusWriter)
	if s.cfg.BehindHTTP != nil && !s.cfg.BehindHTTP.Load() && ctx.Value(http.ServerContextKey) != nil {
		s.cfg.BehindHTTP.Store(true)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended && !s.cfg.Unary:
		return nil, ErrEnded()
	case s.cfg.Max >= 0 && len(s.open) >= s.cfg.Max:
		return nil, status.Errorf(codes.ResourceExhausted, "too many %s: the limit of this server is %d", s.cfg.Plural, s.cfg.Max)
	case c.connection != nil && s.cfg.MaxPerConn >= 0 && s.perConn[c.connection] >= s.cfg.MaxPerConn:
		return nil, status.Errorf(codes.ResourceExhausted, "too many %s on this connection: the limit is %d", s.cfg.Plural, s.cfg.MaxPerConn)
	}
	if s.open == nil {
		s.open = make(map[*Call]struct{})
	}
	s.open[c] = struct{}{}
	if c.connection != nil {
		if s.perConn == nil {
			s.perConn = make(map[any]int)
		}
		s.perConn[c.connection]++
	}
	s.await()
	return c, nil
}

// Close undoes Open.
func (c *Call) Close() {
	s := c.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.open, c); len(s.open) == 0 {
		s.open = nil
	}
	if c.connection == nil {
		return
	}
	if s.perConn[c.connection]--; s.perConn[c.connection] == 0 {
		delete(s.perConn, c.connection)
	}
	if len(s.perConn) == 0 {
		s.perConn = nil
	}
}

// Len returns how many calls are open.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// End rejects further streams, ends those that wait for their request with UNAVAILABLE, and after a second those that block
// in Send. Others have to end by themselves. A second call does nothing.
func (s *Set) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.generation.Add(1)
	for c := range s.open {
		if blocked := c.blocked.Load(); !s.cfg.Unary && blocked != 0 && blocked&1 == 0 {
			go c.end(blocked, ErrEnded())
		}
	}
	if s.awaiting {
		s.timer.Reset(endingPeriod)
	}
}

// await starts the timer of the next search unless it runs.
func (s *Set) await() {
	if s.awaiting {
		return
	}
	s.awaiting = true
	wait := period
	if s.ended {
		wait = endingPeriod
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.search)
	} else {
		s.timer.Reset(wait)
	}
}

// search ends the calls that have been blocked since before the last search.
func (s *Set) search() {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.generation.Add(1) - 1
	for c := range s.open {
		if blocked := c.blocked.Load(); blocked != 0 && blocked>>1 < last {
			err := ErrEnded()
			if !s.ended {
				err = status.Errorf(codes.DeadlineExceeded, "stream was blocked for %v: the client does not send its request, or does not read", period)
			}
			go c.end(blocked, err) // which may block in a transport of net/http
		}
	}
	s.awaiting = false
	if len(s.open) > 0 {
		s.await()
	}
}

// end ends a call that is still blocked as it was.
func (c *Call) end(blocked uint64, err error) {
	st := status.Convert(err)
	if c.stream == nil || c.blocked.Load() != blocked || !c.ended.CompareAndSwap(nil, st) {
		return
	}
	_ = c.stream.WriteStatus(st) // fails if the connection has ended
	if blocked&1 == 1 && c.set.cfg.Unread != nil && c.connection != nil {
		c.set.cfg.Unread(c.connection)
	}
}

// block records that the call is about to block.
func (c *Call) block(sending uint64) { c.blocked.Store(c.set.generation.Load()<<1 | sending) }

// unblock records that it does so no longer, and returns the error with which the set has ended the call, otherwise err.
func (c *Call) unblock(err error) error {
	c.blocked.Store(0)
	return c.Ended(err)
}

// Ended returns the error with which the set has ended the call, otherwise err.
func (c *Call) Ended(err error) error {
	if ended := c.ended.Load(); ended != nil {
		return ended.Err()
	}
	return err
}

// Receive calls receive, which receives the request.
func (c *Call) Receive(receive func(any) error, request any) error {
	c.block(0)
	return c.unblock(receive(request))
}

// Send sends a message on the stream of a call.
func Send[M any](c *Call, stream interface{ Send(message M) error }, message M) error {
	c.block(1)
	return c.unblock(stream.Send(message))
}

// connectionOf identifies the connection of a call by its remote address. grpc-go passes the same value to every call of a
// connection; the value, not its text, is the key, because all clients of a Unix socket have the same text. It is nil
// where connections cannot be distinguished, which is so only inside a process.
func connectionOf(ctx context.Context) any {
	p, ok := peer.FromContext(ctx)
	if !ok || p.Addr == nil {
		return nil
	}
	if kind := reflect.TypeOf(p.Addr); kind.Size() == 0 || !kind.Comparable() {
		return nil
	}
	return p.Addr
}
