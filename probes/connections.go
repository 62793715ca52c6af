package probes

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connections bounds the open connections of a server. They stand in two lines: waiting, by their last request, and
// busy, by the start of the one that is being answered. A newcomer always gets in. When there are too many, the one
// that has waited longest is closed, or else the one that has been busy longest: whoever sends half a header, reads
// no answer or just keeps a line open makes room for who asks now.
type connections struct {
	limit int

	mu      sync.Mutex
	waiting *list.List // of *connection, the longest waiting in front
	busy    *list.List // of *connection, the longest busy in front
	open    map[net.Conn]*connection
}

// connection is one entry. Its fields are guarded by connections.mu, but for conn, which never changes.
type connection struct {
	conn     net.Conn
	place    *list.Element
	requests int // being answered; HTTP/2 has several
}

type connectionKey struct{}

func newConnections(limit int) *connections {
	return &connections{limit: limit, waiting: list.New(), busy: list.New(), open: make(map[net.Conn]*connection)}
}

// enter is an http.Server.ConnContext: it registers a connection and puts it into the context of its requests.
func (c *connections) enter(ctx context.Context, conn net.Conn) context.Context {
	entry := &connection{conn: conn}
	c.mu.Lock()
	entry.place = c.waiting.PushBack(entry)
	c.open[conn] = entry
	victim := c.victim()
	c.mu.Unlock()
	if victim != nil {
		cut(victim.conn)
	}
	return context.WithValue(ctx, connectionKey{}, entry)
}

// victim takes who has to go out of its line, nil if there is room. The newcomer stands at the end of its line, so it
// is its own victim only if the limit is one.
func (c *connections) victim() *connection {
	if len(c.open) <= c.limit {
		return nil
	}
	line := c.waiting
	if line.Len() < 2 && c.busy.Len() > 0 {
		line = c.busy
	}
	victim, _ := line.Front().Value.(*connection)
	c.drop(victim)
	return victim
}

// leave is an http.Server.ConnState.
func (c *connections) leave(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if entry := c.open[conn]; entry != nil {
		c.drop(entry)
	}
}

func (c *connections) drop(entry *connection) {
	c.waiting.Remove(entry.place)
	c.busy.Remove(entry.place)
	delete(c.open, entry.conn)
}

// track moves connections between the lines as next answers their requests.
func (c *connections) track(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if entry, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.move(entry, 1)
			defer c.move(entry, -1)
		}
		next.ServeHTTP(w, r)
	})
}

func (c *connections) move(entry *connection, requests int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.requests += requests
	if c.open[entry.conn] != entry {
		return // closed meanwhile
	}
	switch {
	case entry.requests == 0:
		c.busy.Remove(entry.place)
		entry.place = c.waiting.PushBack(entry)
	case entry.requests == 1 && requests > 0:
		c.waiting.Remove(entry.place)
		entry.place = c.busy.PushBack(entry)
	}
}

// cutWaiting closes every connection that has no request being answered.
func (c *connections) cutWaiting() {
	c.mu.Lock()
	var idle []net.Conn
	for place := c.waiting.Front(); place != nil; place = place.Next() {
		if entry, ok := place.Value.(*connection); ok {
			idle = append(idle, entry.conn)
		}
	}
	c.mu.Unlock()
	for _, conn := range idle {
		cut(conn)
	}
}

// cut closes a connection without a word: a TLS farewell could block on a peer that does not read.
func cut(conn net.Conn) {
	if wrapped, ok := conn.(*tls.Conn); ok {
		conn = wrapped.NetConn()
	}
	_ = conn.Close()
}
