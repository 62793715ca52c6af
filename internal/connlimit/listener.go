package connlimit

import (
	"crypto/tls"
	"net"
	"runtime"
	"weak"
)

// Listener keeps the connections of another listener in a Set.
//
// Without a limit, TCP and Unix connections, also those inside a *tls.Conn, are returned as they are: grpc-go sets
// TCP_USER_TIMEOUT and saves read buffers on these types only, and credentials look for them. The Set then holds them by
// weak pointers. All others are wrapped in a connection whose NetConn returns them and which counts received bytes.
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
	e := &Entry{set: l.Set, conn: func() net.Conn { return accepted }, awaited: greeting}
	l.add(e)
	return &conn{accepted, e}, nil
}

// inner returns the connection below TLS.
func inner(c net.Conn) net.Conn {
	if wrapped, ok := c.(*tls.Conn); ok {
		return wrapped.NetConn()
	}
	return c
}

// hold adds c until it is garbage collected, since its Close is not observed.
func hold[T any, C interface {
	*T
	net.Conn
}](s *Set, c C,
) {
	pointer := weak.Make((*T)(c))
	e := &Entry{set: s, conn: func() net.Conn {
		if held := pointer.Value(); held != nil {
			return C(held)
		}
		return nil
	}}
	s.add(e)
	runtime.AddCleanup((*T)(c), (*Entry).Remove, e)
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
	if n > 0 {
		c.entry.received(n)
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.entry.Remove()
	return c.Conn.Close()
}
