//go:build unix

package connlimit

import (
	"io"
	"net"
	"strings"
	"sync"
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

	pending  *Set // accepted and silent
	start    sync.Once
	stop     sync.Once
	accepted chan accepted
	closed   chan struct{}
}

type accepted struct {
	conn net.Conn
	err  error
}

func deferAccept(lis net.Listener) net.Listener {
	return &deferred{Listener: lis, pending: NewSet(0), accepted: make(chan accepted), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (d *deferred) Accept() (net.Conn, error) {
	d.start.Do(func() { go d.acceptAll() })
	select {
	case a := <-d.accepted:
		return a.conn, a.err
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It closes the connections that Accept has not returned.
func (d *deferred) Close() error {
	d.stop.Do(func() { close(d.closed) })
	d.pending.CloseAll()
	return d.Listener.Close()
}

func (d *deferred) acceptAll() {
	for {
		conn, err := d.Listener.Accept()
		if err == nil {
			go d.await(conn, d.pending.Add(conn))
		} else if !d.deliver(accepted{err: err}) {
			return
		}
	}
}

// deliver reports whether Accept has returned a before the listener was closed.
func (d *deferred) deliver(a accepted) bool {
	select {
	case d.accepted <- a:
		return true
	case <-d.closed:
		return false
	}
}

// await hands conn on once its peer has sent something, and closes it when the peer or the listener is closed before.
func (d *deferred) await(conn net.Conn, pending *Entry) {
	err := net.ErrClosed
	select {
	case <-d.closed: // perhaps before conn was pending
	default:
		err = nil
		if raw, ok := inner(conn).(*net.UnixConn); ok {
			err = awaitGreeting(raw)
		}
	}
	pending.Remove() // from here on, Close must not close it
	if err != nil || !d.deliver(accepted{conn: conn}) {
		abort(conn)
	}
}

// awaitGreeting returns nil when c can be read and begins with a whole preface or with something else.
func awaitGreeting(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(greetingTimeout)); err != nil {
		return err
	}
	peeked := make([]byte, len(preface))
	var n int
	var failed error
	err = raw.Read(func(fd uintptr) (done bool) {
		n, _, failed = syscall.Recvfrom(int(fd), peeked, syscall.MSG_PEEK)
		partial := 0 < n && n < len(preface) && strings.HasPrefix(preface, string(peeked[:n]))
		return failed != syscall.EAGAIN && !partial
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case n == 0:
		return io.EOF
	}
	return c.SetReadDeadline(time.Time{})
}
