package connlimit_test

import (
	"net"
	"testing"

	"github.com/vitals-go/vitals/internal/connlimit"
)

// named is a connection of which only Close is called.
type named struct {
	net.Conn
	name   string
	closed *[]string
}

func (n named) Close() error {
	*n.closed = append(*n.closed, n.name)
	return nil
}

// set is a Set with what it has closed.
type set struct {
	*connlimit.Set
	closed []string
}

func (s *set) add(name string) *connlimit.Entry { return s.Add(named{name: name, closed: &s.closed}) }

func (s *set) expectClosed(t *testing.T, want ...string) {
	t.Helper()
	if len(s.closed) != len(want) {
		t.Fatalf("closed %q, want %q", s.closed, want)
	}
	for i := range want {
		if s.closed[i] != want[i] {
			t.Errorf("closed %q, want %q", s.closed, want)
		}
	}
	s.closed = nil
}

func TestAddBeyondLimitClosesLongestIdle(t *testing.T) {
	t.Parallel()
	s := &set{Set: connlimit.NewSet(3)}
	first, second, third := s.add("first"), s.add("second"), s.add("third")
	first.Begin() // two requests, as HTTP/2 allows
	first.Begin()
	first.End()
	second.Begin()
	second.End()
	s.expectClosed(t)
	s.add("fourth")
	s.expectClosed(t, "third")
	third.Begin() // its last request ends late
	third.End()
	third.Remove()
	first.End()
	s.add("fifth")
	s.expectClosed(t, "second")
	s.add("sixth")
	s.expectClosed(t, "fourth")
	s.add("seventh")
	s.expectClosed(t, "first")
}

func TestAddClosesLongestBusyWhereNoneIsIdle(t *testing.T) {
	t.Parallel()
	s := &set{Set: connlimit.NewSet(2)}
	first, second := s.add("first"), s.add("second")
	second.Begin()
	first.Begin()
	second.Begin() // second stays the one that is busy longest
	s.add("third")
	s.expectClosed(t, "second")
	s.add("fourth")
	s.expectClosed(t, "third")
}

func TestEndOfOneOfSeveralRequestsKeepsTheOrder(t *testing.T) {
	t.Parallel()
	s := &set{Set: connlimit.NewSet(3)}
	first, second, third := s.add("first"), s.add("second"), s.add("third")
	for _, e := range []*connlimit.Entry{first, first, second, third} {
		e.Begin()
	}
	first.End() // one of two
	second.End()
	second.Begin() // now the one that is busy shortest
	s.add("fourth").Begin()
	s.expectClosed(t, "first")
	s.add("fifth").Begin()
	s.expectClosed(t, "third")
	s.add("sixth")
	s.expectClosed(t, "second")
}

func TestAddNeverClosesTheNewConnection(t *testing.T) {
	t.Parallel()
	s := &set{Set: connlimit.NewSet(1)}
	s.add("first").Begin()
	s.add("second")
	s.expectClosed(t, "first")
}

func TestRemoveMakesRoom(t *testing.T) {
	t.Parallel()
	s := &set{Set: connlimit.NewSet(2)}
	first := s.add("first")
	s.add("second")
	first.Remove()
	first.Remove()
	s.add("third")
	s.expectClosed(t)
}

func TestCloseIdleLeavesBusyConnections(t *testing.T) {
	t.Parallel()
	s := &set{Set: connlimit.NewSet(0)}
	s.add("first").Begin()
	s.add("second")
	s.CloseIdle()
	s.expectClosed(t, "second")
	s.CloseAll()
	s.expectClosed(t, "first", "second")
}
