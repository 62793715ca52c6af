// Package turnstile bounds the open connections of a listener without ever turning away a newcomer.
package connlimit

import (
	"container/list"
	"net"
	"sync"
)

// Listener hands on the connections of another one. When more than its limit are open, it closes the one from which
// nothing has been heard for the longest time: a crowd that just holds lines open makes room for who asks now.
type Listener struct {
	net.Listener

	limit int
	mu    sync.Mutex
	line  *list.List // of *conn, the longest silent in front
}

// New returns a Listener of at most limit connections, of which there must be at least one.
func New(lis net.Listener, limit int) *Listener {
	return &Listener{Listener: lis, limit: limit, line: list.New()}
}

// Accept waits for the next connection. It has a method NetConn that returns the other listener's.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, listener: l}
	if victim := l.enter(c); victim != nil {
		_ = victim.Conn.Close() // whoever serves it is told by its next read, and leaves
	}
	return c, nil
}

// enter puts c at the end of the line and takes who is too many out of it.
func (l *Listener) enter(c *conn) (victim *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.place = l.line.PushBack(c)
	if l.line.Len() <= l.limit {
		return nil
	}
	victim, _ = l.line.Remove(l.line.Front()).(*conn)
	return victim
}

// conn is an accepted connection. Its place is guarded by the listener's lock; List ignores a place that is not its own.
type conn struct {
	net.Conn

	listener *Listener
	place    *list.Element
}

// NetConn returns the connection inside.
func (c *conn) NetConn() net.Conn { return c.Conn }

// Read implements net.Conn, and moves c to the end of the line when something was heard.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.listener.mu.Lock()
		c.listener.line.MoveToBack(c.place)
		c.listener.mu.Unlock()
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	c.listener.line.Remove(c.place)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
