package statusmap

// waiterList is a doubly linked ring around a root. The zero value is empty.
type waiterList struct{ root waiter }

// first returns the oldest waiter, nil if there is none.
func (l *waiterList) first() *waiter {
	if l.root.next == nil || l.root.next == &l.root {
		return nil
	}
	return l.root.next
}

func (l *waiterList) push(w *waiter) {
	l.init()
	w.prev, w.next = l.root.prev, &l.root
	w.prev.next, w.next.prev = w, w
}

// take moves all waiters of other behind those of l in constant time.
func (l *waiterList) take(other *waiterList) {
	first := other.first()
	if first == nil {
		return
	}
	l.init()
	last := other.root.prev
	first.prev, last.next = l.root.prev, &l.root
	first.prev.next, l.root.prev = first, last
	other.root.prev, other.root.next = &other.root, &other.root
}

func (l *waiterList) init() {
	if l.root.next == nil {
		l.root.prev, l.root.next = &l.root, &l.root
	}
}

// unlink removes the waiter from the list that holds it.
func (w *waiter) unlink() {
	w.prev.next, w.next.prev = w.next, w.prev
	w.prev, w.next = nil, nil
}
