package statusmap

import (
	"strconv"
	"testing"
)

func TestUnknownNamesAreDroppedWithTheirLastWatch(t *testing.T) {
	m := New(0)
	var watches []*Watch[int]
	for n := range 1000 {
		name := strconv.Itoa(n)
		watches = append(watches, m.Watch(name), m.Watch(name))
	}
	kept := func(step string, want int) {
		t.Helper()
		if got := len(m.unknownWatched); got != want {
			t.Fatalf("%s: %d unknown names are kept, want %d", step, got, want)
		}
	}
	kept("watched", 1000)
	for n := range 500 {
		m.Set(strconv.Itoa(n), 1)
	}
	kept("half became known", 500)
	for n := range 250 {
		m.Delete(strconv.Itoa(n))
	}
	kept("250 became unknown again", 750)
	m.SetUnknown(2)
	for _, w := range watches {
		w.Close()
	}
	if m.unknownWatched != nil {
		t.Fatalf("%d unknown names are kept without a watch", len(m.unknownWatched))
	}
	for n := range 500 {
		m.Delete(strconv.Itoa(n))
	}
	if n := m.Len(); n != 0 || len(m.read.Load().entries) != 0 {
		t.Fatalf("%d names are known and %d copied after the last was deleted", n, len(m.read.Load().entries))
	}
}

func TestClosedWatchesLeaveTheirWaitLists(t *testing.T) {
	m := New(0)
	m.Set("a", 1)
	fanout := func() *fanout { return m.known["a"].fanout }
	waiters := func() (n int) {
		for _, list := range []*waiterList{&fanout().pending, &fanout().notified} {
			for w := list.first(); w != nil && w != &list.root; w = w.next {
				n++
			}
		}
		return n
	}
	watches := []*Watch[int]{m.Watch("a"), m.Watch("a"), m.Watch("a")}
	for i, w := range watches {
		m.Set("a", i+2) // moves waiters between the lists
		w.Close()
		if n, want := waiters(), len(watches)-i-1; n != want {
			t.Errorf("%d waiters are in the lists, want %d", n, want)
		}
	}
}
