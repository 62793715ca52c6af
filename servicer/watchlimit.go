package servicer

import (
	"cmp"
	"context"
	"reflect"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Any peer that can connect can watch, and each watch costs a goroutine and the state of an HTTP/2 stream: some 20 KB.
const (
	// defaultMaxWatches allows one for each connection of a large fleet.
	defaultMaxWatches = 65_536
	// defaultMaxWatchesPerConn: a client needs one for each service that it balances, a proxy multiplexes many clients.
	defaultMaxWatchesPerConn = 1_000
	// maxWatchedName bounds, in bytes, an unknown name that a watch makes the server keep. gRPC itself allows 4 MiB.
	maxWatchedName = 1024
)

// watchLimit counts watches, in all and by connection.
type watchLimit struct {
	max, maxPerConn int // negative: no limit

	mu      sync.Mutex
	total   int
	perConn map[any]int // connections with a watch; nil when there are none
}

// newWatchLimit returns a limit; 0 means the default, a negative number no limit.
func newWatchLimit(limit, perConn int) *watchLimit {
	return &watchLimit{max: cmp.Or(limit, defaultMaxWatches), maxPerConn: cmp.Or(perConn, defaultMaxWatchesPerConn)}
}

// enter counts one more watch on connection, or returns RESOURCE_EXHAUSTED.
func (l *watchLimit) enter(connection any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.max >= 0 && l.total >= l.max:
		return status.Errorf(codes.ResourceExhausted, "too many watches: the limit of this server is %d", l.max)
	case connection != nil && l.maxPerConn >= 0 && l.perConn[connection] >= l.maxPerConn:
		return status.Errorf(codes.ResourceExhausted, "too many watches on this connection: the limit is %d", l.maxPerConn)
	}
	l.total++
	if connection != nil {
		if l.perConn == nil {
			l.perConn = make(map[any]int)
		}
		l.perConn[connection]++
	}
	return nil
}

// leave undoes enter.
func (l *watchLimit) leave(connection any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if connection == nil {
		return
	}
	if l.perConn[connection]--; l.perConn[connection] == 0 {
		delete(l.perConn, connection)
	}
	if len(l.perConn) == 0 {
		l.perConn = nil // a Go map never shrinks
	}
}

func (l *watchLimit) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
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
