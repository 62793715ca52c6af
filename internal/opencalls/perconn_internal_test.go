package opencalls

import (
	"net"
	"testing"

	"google.golang.org/grpc/peer"
)

func TestSetForgetsConnectionsWithoutCalls(t *testing.T) {
	s := New(Config{Max: -1, MaxPerConn: -1})
	open := func() *Call {
		t.Helper()
		call, err := s.Open(peer.NewContext(t.Context(), &peer.Peer{Addr: new(net.TCPAddr)}))
		if err != nil {
			t.Fatal(err)
		}
		return call
	}
	first := open()
	for range 10 {
		open().Close()
	}
	if len(s.perConn) != 1 || len(s.open) != 1 {
		t.Errorf("%d calls and %d connections are left, want 1 and 1", len(s.open), len(s.perConn))
	}
	first.Close()
	if s.perConn != nil || s.open != nil {
		t.Errorf("got %v and %v, want no maps", s.open, s.perConn)
	}
}
