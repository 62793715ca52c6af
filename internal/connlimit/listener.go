package connlimit

import (
	"net"
	"runtime"
	"weak"
)

// Listener keeps the connections of another listener in a Set.
//
// Without a limit, TCP and Unix connections, also those inside a *tls.Conn, are returned as they are: grpc-go sets
// TCP_USER_TIMEOUT and saves read buffers on these types only, and credentials look for them. The Set then holds them by
// weak pointers. All others are wrapped in a connection that counts received bytes and returns them from NetConn.
type Listener struct {
	net.Listener
	*Set
}

// New returns a Listener of at most limit connections, of any number if limit is 0. It then returns lis itself if that is a
// *Listener.
func New(lis net.Listener, limit int) *Listener {
	if limit > 0 {
		return &Listener{lis, NewSet(limit)}
	}
	if own, ok := lis.(*Listener); ok {
		return own
	}
	if lis.Addr().Network() == "unix" {
		lis = deferAccept(lis)
	}
	return &Listener{lis, NewSet(0)}
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
	return &conn{accepted, l.add(&Entry{conn: func() net.Conn { return accepted }, awaited: greeting})}, nil
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

// conn is an accepted connection that records what it receives.
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
		e.awaited = max(0, e.awaited-n)
		e.set.entries.MoveToBack(e.place)
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.entry.Remove()
	return c.Conn.Close()
}
