package connlimit

import (
	"net"
	"reflect"
	"runtime"
	"time"
	"weak"
)

// Listener keeps the connections of another listener in a Set.
//
// Without a limit, TCP and Unix connections, also those inside a *tls.Conn, are returned as they are: grpc-go sets
// TCP_USER_TIMEOUT and saves read buffers on these types only, and credentials look for them. The Set then holds them by
// weak pointers. All others are wrapped in a connection that returns them from NetConn.
type Listener struct {
	net.Listener
	*Set

	wrapped net.Listener // as passed to New

	// OnClose, if not nil, is called when the listener is closed. It must not block, and be set before Accept is called.
	OnClose func()
}

// New returns a Listener of at most limit connections, of any number if limit is 0. It then returns lis itself if that is a
// *Listener.
func New(lis net.Listener, limit int) *Listener {
	if limit > 0 {
		return &Listener{Listener: lis, Set: NewSet(limit), wrapped: lis}
	}
	if own, ok := lis.(*Listener); ok {
		return own
	}
	l := &Listener{Listener: lis, Set: NewSet(0), wrapped: lis}
	if lis.Addr().Network() == "unix" {
		l.Listener = deferAccept(lis)
	}
	return l
}

// Wraps reports whether lis is l itself or the listener that was passed to New.
func (l *Listener) Wraps(lis net.Listener) bool {
	return reflect.ValueOf(lis).Comparable() && (lis == net.Listener(l) || lis == l.wrapped)
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	if l.OnClose != nil {
		l.OnClose()
	}
	return l.Listener.Close()
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.limit == 0 {
		switch raw := inner(accepted).(type) {
		case *net.TCPConn:
			hold(l.Set, raw)
			return accepted, nil
		case *net.UnixConn:
			hold(l.Set, raw)
			return accepted, nil
		}
	}
	return &conn{accepted, l.add(&Entry{conn: func() net.Conn { return accepted }, silent: true})}, nil
}

// hold adds c until it is garbage collected, since its Close is not observed.
func hold[T any](s *Set, c *T) {
	pointer := weak.Make(c)
	e := s.add(&Entry{conn: func() net.Conn {
		if held := pointer.Value(); held != nil {
			conn, _ := any(held).(net.Conn)
			return conn
		}
		return nil
	}})
	runtime.AddCleanup(c, (*Entry).Remove, e)
}

// conn is an accepted connection that records when it receives, and whether its handshake is over.
type conn struct {
	net.Conn
	entry *Entry
}

// NetConn returns the connection inside.
func (c *conn) NetConn() net.Conn { return c.Conn }

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if e := c.entry; n > 0 {
		e.set.mu.Lock()
		defer e.set.mu.Unlock()
		e.set.entries.MoveToBack(e.place)
	}
	return n, err
}

// SetDeadline implements net.Conn. grpc-go sets a deadline for the handshake, of TLS too, and removes it after that.
func (c *conn) SetDeadline(t time.Time) error {
	if t.IsZero() {
		c.entry.set.mu.Lock()
		c.entry.silent = false
		c.entry.set.mu.Unlock()
	}
	return c.Conn.SetDeadline(t)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.entry.Remove()
	return c.Conn.Close()
}
