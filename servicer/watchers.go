package servicer

import (
	"context"
	"reflect"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Anybody who can connect can watch, and each watch holds a goroutine and what HTTP/2 keeps for its stream: some 20 KB.
const (
	// defaultMaxWatches bounds them together: one for each connection of a large fleet.
	defaultMaxWatches = 65_536
	// defaultMaxWatchesPerConn bounds those of one connection: a client needs one for each service that it balances,
	// a proxy multiplexes many clients.
	defaultMaxWatchesPerConn = 1_000
	// maxWatchedName bounds, in bytes, an unknown name that a watch makes us keep. gRPC itself lets 4 MiB pass.
	maxWatchedName = 1024
)

// watchLimit counts watches, in all and by connection.
type watchLimit struct {
	max, maxPerConn int // negative means no limit

	mu      sync.Mutex
	total   int
	perConn map[any]int // holds only connections with a watch; nil when there are none
}

// newWatchLimit returns a limit of max watches, and maxPerConn on one connection. 0 means the default of each, and a
// negative number no limit.
func newWatchLimit(limit, perConn int) *watchLimit {
	if limit == 0 {
		limit = defaultMaxWatches
	}
	if perConn == 0 {
		perConn = defaultMaxWatchesPerConn
	}
	return &watchLimit{max: limit, maxPerConn: perConn}
}

// admit lets a watch in and returns its connection, which leave wants back, or says why not.
func (h *healthServer) admit(ctx context.Context, name string) (connection any, err error) {
	select {
	case <-h.board.Ended():
		// Not even a status: grpc-go's client comes back without a pause when it has received one.
		return nil, errEnding()
	default:
	}
	if len(name) > maxWatchedName {
		if _, known := h.board.Lookup(name); !known {
			return nil, status.Errorf(codes.InvalidArgument, "service name of %d bytes is longer than %d", len(name), maxWatchedName)
		}
	}
	connection = connectionOf(ctx)
	return connection, h.limit.enter(connection)
}

// enter counts one more watch on connection, or refuses it with RESOURCE_EXHAUSTED.
func (l *watchLimit) enter(connection any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.max >= 0 && l.total >= l.max:
		return status.Errorf(codes.ResourceExhausted, "too many watches: this server allows %d", l.max)
	case connection != nil && l.maxPerConn >= 0 && l.perConn[connection] >= l.maxPerConn:
		return status.Errorf(codes.ResourceExhausted, "too many watches on this connection: this server allows %d on each", l.maxPerConn)
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

// leave takes back what enter counted.
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
		l.perConn = nil // a Go map keeps the room it once needed
	}
}

func (l *watchLimit) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// connectionOf identifies the connection of a call by its remote address: gRPC asks a connection for it once and hands
// the same value to every call. The value, not its text, is the key, because all clients of a Unix socket read alike.
// It is nil where connections cannot be told apart, which is so only inside a process.
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
