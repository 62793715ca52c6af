package servicer

import (
	"net"
	"sync"
	"weak"
)

// greeting is how many bytes an HTTP/2 client sends at the very least before a server can serve it: the preface (24)
// and an empty SETTINGS frame (9). With TLS it sends more.
const greeting = 24 + 9

// listener knows the connections that it has accepted and that are still open.
//
// Stopping a grpc.Server begins with waiting for every connection that is in its handshake, for up to two minutes,
// before any other is told to go away; Stop waits like GracefulStop. One peer that connects and says nothing would
// therefore turn a graceful end into a hard one. So we close such connections ourselves.
//
// The connections are handed on as they are, because gRPC and credentials look for *net.TCPConn and *net.UnixConn.
// That is why nobody tells us when one is closed, and why we hold them by weak pointers only.
type listener struct {
	net.Listener

	mu    sync.Mutex
	conns []weakConn
	sweep int // how many conns may be held before those that are gone are looked for
}

// weakConn is a TCP or a Unix connection that may be gone; one of the two.
type weakConn struct {
	tcp  weak.Pointer[net.TCPConn]
	unix weak.Pointer[net.UnixConn]
}

// minSweep keeps a listener with few connections from looking for lost ones at every Accept.
const minSweep = 64

func newListener(lis net.Listener) *listener {
	return &listener{Listener: lis, sweep: minSweep}
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	raw := accepted
	if wrapped, ok := accepted.(interface{ NetConn() net.Conn }); ok { // such as *tls.Conn
		raw = wrapped.NetConn()
	}
	switch c := raw.(type) {
	case *net.TCPConn:
		l.hold(weakConn{tcp: weak.Make(c)})
	case *net.UnixConn:
		l.hold(weakConn{unix: weak.Make(c)})
	}
	return accepted, nil
}

// hold remembers c. Looking for lost connections only when their number may have doubled keeps its cost per
// connection constant.
func (l *listener) hold(c weakConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= l.sweep {
		var live []weakConn
		for _, held := range l.conns {
			if held.conn() != nil {
				live = append(live, held)
			}
		}
		l.conns, l.sweep = live, max(2*len(live), minSweep)
	}
	l.conns = append(l.conns, c)
}

// conn returns the connection, nil if it is gone.
func (w weakConn) conn() net.Conn {
	if c := w.tcp.Value(); c != nil {
		return c
	}
	if c := w.unix.Value(); c != nil {
		return c
	}
	return nil
}

// closeSilent closes the TCP connections that have not even greeted, on systems that can tell.
func (l *listener) closeSilent() {
	for _, c := range l.open() {
		if tcp, ok := c.(*net.TCPConn); ok && silent(tcp) {
			_ = c.Close()
		}
	}
}

// closeAll closes all connections.
func (l *listener) closeAll() {
	for _, c := range l.open() {
		_ = c.Close()
	}
}

func (l *listener) open() []net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	var conns []net.Conn
	for _, held := range l.conns {
		if c := held.conn(); c != nil {
			conns = append(conns, c)
		}
	}
	return conns
}
