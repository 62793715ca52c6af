package statusmap

// seats is a ring of seats around a root that nobody sits in. Its zero value is empty.
type seats struct{ root seat }

// first returns the seat that has been there longest, nil if there is none.
func (l *seats) first() *seat {
	if l.root.next == nil || l.root.next == &l.root {
		return nil
	}
	return l.root.next
}

func (l *seats) push(s *seat) {
	l.open()
	s.prev, s.next = l.root.prev, &l.root
	s.prev.next, s.next.prev = s, s
}

// take moves all seats of other behind those of l, in constant time.
func (l *seats) take(other *seats) {
	first := other.first()
	if first == nil {
		return
	}
	l.open()
	last := other.root.prev
	first.prev, last.next = l.root.prev, &l.root
	first.prev.next, l.root.prev = first, last
	other.root.prev, other.root.next = &other.root, &other.root
}

func (l *seats) open() {
	if l.root.next == nil {
		l.root.prev, l.root.next = &l.root, &l.root
	}
}

// unlink takes the seat out of whichever list it is in.
func (s *seat) unlink() {
	s.prev.next, s.next.prev = s.next, s.prev
	s.prev, s.next = nil, nil
}
