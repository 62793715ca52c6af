//go:build unix

package connlimit

import (
	"context"
	"net"
	"strings"
	"syscall"
	"time"
)

// greetingTimeout is how long a peer may take for the preface, as grpc-go's default ConnectionTimeout.
const greetingTimeout = 2 * time.Minute

// deferred is a listener that returns a Unix connection when its peer has sent something, as TCP_DEFER_ACCEPT does for TCP,
// and more than a part of an HTTP/2 preface. The kernel does not count the bytes of Unix connections and the server needs a
// *net.UnixConn, so a silent peer is recognized only before the connection is handed on.
type deferred struct {
	net.Listener

	accepted chan accepted
	open     context.Context //nolint:containedctx // done after Close
	cancel   context.CancelFunc
}

type accepted struct {
	conn net.Conn
	err  error
}

func deferAccept(lis net.Listener) net.Listener {
	d := &deferred{Listener: lis, accepted: make(chan accepted)}
	d.open, d.cancel = context.WithCancel(context.Background())
	go d.acceptAll()
	return d
}

// Accept implements net.Listener.
func (d *deferred) Accept() (net.Conn, error) {
	select {
	case a := <-d.accepted:
		return a.conn, a.err
	case <-d.open.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It closes the connections that Accept has not returned.
func (d *deferred) Close() error {
	d.cancel()
	return d.Listener.Close()
}

func (d *deferred) acceptAll() {
	for d.open.Err() == nil {
		conn, err := d.Listener.Accept()
		if err != nil {
			d.deliver(accepted{err: err})
			continue
		}
		go func() {
			stop := context.AfterFunc(d.open, func() { abort(conn) })
			if failed := awaitGreeting(inner(conn)); failed || !stop() || !d.deliver(accepted{conn: conn}) {
				abort(conn)
			}
		}()
	}
}

// deliver reports whether Accept has returned a before the listener was closed.
func (d *deferred) deliver(a accepted) bool {
	select {
	case d.accepted <- a:
		return true
	case <-d.open.Done():
		return false
	}
}

// awaitGreeting returns when conn can be read and begins with a whole preface or with something else, and reports whether
// the peer or the listener was closed before.
func awaitGreeting(conn net.Conn) (failed bool) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil || c.SetReadDeadline(time.Now().Add(greetingTimeout)) != nil {
		return true
	}
	peeked := make([]byte, len(preface))
	var n int
	err = raw.Read(func(fd uintptr) (done bool) {
		var failed error
		n, _, failed = syscall.Recvfrom(int(fd), peeked, syscall.MSG_PEEK)
		partial := 0 < n && n < len(preface) && strings.HasPrefix(preface, string(peeked[:n]))
		return failed != syscall.EAGAIN && !partial
	})
	return err != nil || n <= 0 || c.SetReadDeadline(time.Time{}) != nil
}
