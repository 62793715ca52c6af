// Package connlimit tracks open connections, bounds their number without rejecting new ones, and closes those that would
// delay the end of a server.
package connlimit

import (
	"container/list"
	"crypto/tls"
	"net"
	"sync"
)

const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// greeting is the fewest bytes that an HTTP/2 client sends before a server can serve it: the preface and the header of
	// an empty SETTINGS frame. With TLS they are more.
	greeting = len(preface) + 9
)

// Set is a set of open connections. It is safe for concurrent use.
type Set struct {
	limit   int
	mu      sync.Mutex
	entries list.List // of *Entry, the longest inactive first
}

// Entry is one connection of a Set.
type Entry struct {
	set  *Set
	conn func() net.Conn // returns nil once the connection was garbage collected

	// guarded by set.mu
	place  *list.Element
	busy   int  // requests in progress
	silent bool // no HTTP/2 connection yet; false if that is not known here
	unread bool // see MarkUnread
}

// NewSet returns a Set of at most limit connections, of any number if limit is 0.
func NewSet(limit int) *Set { return &Set{limit: limit} }

// Add adds an open connection. Beyond the limit it closes the longest inactive other one, or if all are busy, the one that
// has been busy longest.
func (s *Set) Add(conn net.Conn) *Entry {
	return s.add(&Entry{conn: func() net.Conn { return conn }})
}

func (s *Set) add(e *Entry) *Entry {
	s.mu.Lock()
	e.set, e.place = s, s.entries.PushBack(e)
	victim := s.victim()
	s.mu.Unlock()
	if victim != nil {
		abort(victim)
	}
	return e
}

// victim removes the entry that exceeds the limit, never the newest, and returns its connection.
func (s *Set) victim() net.Conn {
	if s.limit == 0 || s.entries.Len() <= s.limit {
		return nil
	}
	chosen, _ := s.entries.Front().Value.(*Entry)
	for place := s.entries.Front(); place != s.entries.Back(); place = place.Next() {
		if e, _ := place.Value.(*Entry); e.busy == 0 {
			chosen = e
			break
		}
	}
	s.entries.Remove(chosen.place)
	return chosen.conn()
}

// CloseIdle closes the connections that are not busy.
func (s *Set) CloseIdle() {
	s.closeEach(func(e *Entry, _ net.Conn) bool { return e.busy == 0 })
}

// CloseSilent closes connections that have not completed their handshake. Of TCP connections that the Listener has not
// wrapped it closes those that have received less than a greeting, and only on Linux, where the kernel counts the bytes.
func (s *Set) CloseSilent() {
	s.closeEach(func(e *Entry, conn net.Conn) bool {
		tcp, ok := conn.(*net.TCPConn)
		return e.silent || ok && silent(tcp)
	})
}

// MarkUnread marks the connection with the remote address addr, compared by value, as one with a peer that does not read.
func (s *Set) MarkUnread(addr any) {
	s.mu.Lock()
	var entries []*Entry
	for place := s.entries.Front(); place != nil; place = place.Next() {
		if e, _ := place.Value.(*Entry); !e.silent { // RemoteAddr would wait for the header of the PROXY protocol
			entries = append(entries, e)
		}
	}
	s.mu.Unlock()
	for _, e := range entries {
		if conn := e.conn(); conn != nil && any(conn.RemoteAddr()) == addr {
			s.mu.Lock()
			e.unread = true
			s.mu.Unlock()
		}
	}
}

// CloseUnread closes the connections that were marked by MarkUnread.
func (s *Set) CloseUnread() {
	s.closeEach(func(e *Entry, _ net.Conn) bool { return e.unread })
}

// CloseAll closes all connections.
func (s *Set) CloseAll() {
	s.closeEach(func(*Entry, net.Conn) bool { return true })
}

func (s *Set) closeEach(chosen func(*Entry, net.Conn) bool) {
	var conns []net.Conn
	s.mu.Lock()
	for place := s.entries.Front(); place != nil; place = place.Next() {
		e, _ := place.Value.(*Entry)
		if conn := e.conn(); conn != nil && chosen(e, conn) {
			conns = append(conns, conn)
		}
	}
	s.mu.Unlock()
	for _, conn := range conns {
		abort(conn)
	}
}

// Begin records that a request begins, and End that it ends. Several may be in progress.
func (e *Entry) Begin() { e.addBusy(1) }

// End records the end of a request.
func (e *Entry) End() { e.addBusy(-1) }

func (e *Entry) addBusy(n int) {
	e.set.mu.Lock()
	defer e.set.mu.Unlock()
	if e.busy += n; e.busy == max(0, n) { // the first has begun, or the last has ended
		e.set.entries.MoveToBack(e.place)
	}
}

// Remove removes a connection that was closed. A second call does nothing.
func (e *Entry) Remove() {
	e.set.mu.Lock()
	defer e.set.mu.Unlock()
	e.set.entries.Remove(e.place)
}

// abort closes a connection below TLS: the close_notify alert could block on a peer that does not read.
func abort(conn net.Conn) { _ = inner(conn).Close() }

// inner returns the connection below TLS.
func inner(c net.Conn) net.Conn {
	if wrapped, ok := c.(*tls.Conn); ok {
		return wrapped.NetConn()
	}
	return c
}
