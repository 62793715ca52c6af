package connlimit_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/connlimit"
)

// pair is both ends of a connection.
type pair struct{ near, far net.Conn }

func listen(t *testing.T, limit int) (connect func() pair) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lis := connlimit.New(inner, limit)
	t.Cleanup(func() { lis.Close() })
	return func() pair {
		t.Helper()
		near, err := net.Dial("tcp", lis.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		far, err := lis.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { near.Close(); far.Close() })
		return pair{near, far}
	}
}

// says passes a byte from the client to the server.
func (p pair) says(t *testing.T) {
	t.Helper()
	if _, err := p.near.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p.far, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// closed reports whether the client is shown out within a time.
func (p pair) closed(within time.Duration) bool {
	_ = p.near.SetReadDeadline(time.Now().Add(within))
	_, err := p.near.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

const soon = 50 * time.Millisecond

func TestTheLongestSilentMakesRoom(t *testing.T) {
	t.Parallel()
	connect := listen(t, 3)
	first, second, third := connect(), connect(), connect()
	first.says(t)
	fourth := connect()
	if !second.closed(time.Minute) {
		t.Error("the longest silent is still there")
	}
	for i, p := range []pair{first, third, fourth} {
		if p.closed(soon) {
			t.Errorf("%d of those who stay has been shown out", i)
		}
	}
	second.far.Close() // the server has noticed
	third.far.Close()
	fifth := connect() // takes the place that third has left
	for i, p := range []pair{first, fourth, fifth} {
		if p.closed(soon) {
			t.Errorf("%d has been shown out although there was room", i)
		}
		p.says(t)
	}
}

func TestTheConnectionInsideIsThere(t *testing.T) {
	t.Parallel()
	p := listen(t, 1)()
	if _, ok := p.far.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn); !ok {
		t.Error("no TCP connection inside")
	}
}
