package connlimit

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// pair is both ends of a connection.
type pair struct{ client, server net.Conn }

func listen(t *testing.T, network string) net.Listener {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	lis, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lis.Close() })
	return lis
}

func dial(t *testing.T, lis net.Listener) net.Conn {
	t.Helper()
	client, err := net.Dial(lis.Addr().Network(), lis.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func accept(t *testing.T, lis net.Listener) net.Conn {
	t.Helper()
	server, err := lis.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// send passes bytes from the client to the server.
func (p pair) send(t *testing.T, sent string) {
	t.Helper()
	if _, err := io.WriteString(p.client, sent); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p.server, make([]byte, len(sent))); err != nil {
		t.Fatal(err)
	}
}

// closed reports whether the client sees its connection closed within a time.
func closed(client net.Conn, within time.Duration) bool {
	_ = client.SetReadDeadline(time.Now().Add(within))
	_, err := client.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

const soon = 50 * time.Millisecond

func TestAcceptBeyondLimitClosesLongestSilent(t *testing.T) {
	t.Parallel()
	lis := New(listen(t, "tcp"), 3)
	connect := func() pair {
		client := dial(t, lis)
		return pair{client, accept(t, lis)}
	}
	first, second, third := connect(), connect(), connect()
	first.send(t, "x")
	fourth := connect()
	if !closed(second.client, time.Minute) {
		t.Error("the longest silent connection is still open")
	}
	for i, p := range []pair{first, third, fourth} {
		if closed(p.client, soon) {
			t.Errorf("connection %d of those that stay was closed", i)
		}
	}
	second.server.Close() // the server has noticed
	third.server.Close()
	fifth := connect() // in the place of third
	for i, p := range []pair{first, fourth, fifth} {
		if closed(p.client, soon) {
			t.Errorf("connection %d was closed although there was room", i)
		}
		p.send(t, "x")
	}
}

func TestLimitedConnectionHasNetConn(t *testing.T) {
	t.Parallel()
	lis := New(listen(t, "tcp"), 1)
	dial(t, lis)
	if _, ok := accept(t, lis).(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn); !ok {
		t.Error("no TCP connection inside")
	}
	if New(lis, 0) != lis {
		t.Error("a Listener was wrapped in another one")
	}
}

func TestAcceptWithoutLimitReturnsConnectionAsItIs(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		lis := New(listen(t, network), 0)
		_, _ = io.WriteString(dial(t, lis), preface)
		switch c := accept(t, lis).(type) {
		case *net.TCPConn, *net.UnixConn:
		default:
			t.Errorf("%s: got %T", network, c)
		}
		lis = New(tls.NewListener(listen(t, network), &tls.Config{MinVersion: tls.VersionTLS12, Certificates: make([]tls.Certificate, 1)}), 0)
		_, _ = io.WriteString(dial(t, lis), preface)
		if c, ok := accept(t, lis).(*tls.Conn); !ok {
			t.Errorf("%s and TLS: got %T", network, c)
		}
		if n := lis.entries.Len(); n != 1 {
			t.Errorf("%s and TLS: the set has %d connections, want 1", network, n)
		}
	}
}

func TestConnectionLeavesSetWhenCollected(t *testing.T) {
	t.Parallel()
	lis := New(listen(t, "tcp"), 0)
	for range 100 {
		dial(t, lis)
		server, err := lis.Accept()
		if err != nil {
			t.Fatal(err)
		}
		server.Close()
	}
	left := func() int {
		lis.mu.Lock()
		defer lis.mu.Unlock()
		return lis.entries.Len()
	}
	for deadline := time.Now().Add(time.Minute); left() > 1; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatalf("%d closed connections are still in the set", left())
		}
	}
	lis.CloseAll()
}

// opaque is a listener of connections of a type of its own.
type opaque struct{ net.Listener }

func (o opaque) Accept() (net.Conn, error) {
	accepted, err := o.Listener.Accept()
	return struct{ net.Conn }{accepted}, err
}

func TestCloseSilentClosesConnectionsWithoutGreeting(t *testing.T) {
	t.Parallel()
	for name, lis := range map[string]*Listener{"TCP": New(listen(t, "tcp"), 0), "other": New(opaque{listen(t, "tcp")}, 0)} {
		if name == "TCP" && runtime.GOOS != "linux" {
			continue
		}
		silent, half, greeted := dial(t, lis), dial(t, lis), dial(t, lis)
		accept(t, lis)
		pair{half, accept(t, lis)}.send(t, preface)
		last := pair{greeted, accept(t, lis)}
		last.send(t, preface+"123456789")
		_ = last.server.SetDeadline(time.Time{}) // as grpc-go after the handshake
		lis.CloseSilent()
		if !closed(silent, time.Minute) || !closed(half, time.Minute) {
			t.Errorf("%s: a connection without a greeting is still open", name)
		}
		if closed(greeted, soon) {
			t.Errorf("%s: the connection with a greeting was closed", name)
		}
	}
}

func TestCloseUnreadClosesMarkedConnections(t *testing.T) {
	t.Parallel()
	lis := New(listen(t, "tcp"), 0)
	unread, read := dial(t, lis), dial(t, lis)
	marked := accept(t, lis)
	accept(t, lis)
	lis.MarkUnread(marked.RemoteAddr())
	lis.CloseUnread()
	if !closed(unread, time.Minute) {
		t.Error("the marked connection is still open")
	}
	if closed(read, soon) {
		t.Error("the other connection was closed")
	}
}

func TestUnixConnectionIsAcceptedWhenItsPrefaceHasArrived(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("accepted at once")
	}
	lis := New(listen(t, "unix"), 0)
	silent, half, gone, other, greeted := dial(t, lis), dial(t, lis), dial(t, lis), dial(t, lis), dial(t, lis)
	_, _ = io.WriteString(half, preface[:10])
	gone.Close()
	_, _ = io.WriteString(other, "another protocol")
	accept(t, lis)
	_, _ = io.WriteString(greeted, preface)
	accept(t, lis)
	_, _ = io.WriteString(half, preface[10:])
	read := make([]byte, len(preface))
	if _, err := io.ReadFull(accept(t, lis), read); err != nil || string(read) != preface {
		t.Errorf("read %q, %v", read, err)
	}
	lis.Close()
	if !closed(silent, time.Minute) {
		t.Error("Close leaves a silent connection open")
	}
	if _, err := lis.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	for i, c := range []net.Conn{half, other, greeted} {
		if closed(c, soon) {
			t.Errorf("connection %d, which Accept has returned, was closed", i)
		}
	}
}
