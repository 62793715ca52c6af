package statusmap

// Watch follows one name, whether it is in the map or not. It has one owner and must not be copied.
type Watch[S comparable] struct {
	m      *Map[S]
	entry  *entry[S]
	seen   *version[S] // what Status returned last
	waiter waiter
}

// Watch follows name until the Watch is closed.
func (m *Map[S]) Watch(name string) *Watch[S] {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.known[name]
	if e == nil {
		e = m.unknownEntry(name)
		m.addUnknown(e)
	}
	if e.fanout == nil {
		e.fanout = new(fanout)
	}
	e.watches++
	w := &Watch[S]{m: m, entry: e}
	e.fanout.add(&w.waiter)
	return w
}

// Status returns the newest status, and whether it is the last one because the map has ended. A watch that is slower than
// the changes skips those between.
func (w *Watch[S]) Status() (status S, last bool) {
	w.seen = w.entry.version.Load()
	return w.seen.status, w.seen.last
}

// Wait returns true when there is something newer than Status returned, and false when done is closed first. After the
// last status there is never anything newer.
func (w *Watch[S]) Wait(done <-chan struct{}) bool {
	changed := func() bool {
		now := w.entry.version.Load()
		return now != w.seen && (now.status != w.seen.status || now.last != w.seen.last)
	}
	return w.entry.fanout.wait(&w.waiter, changed, done)
}

// Close ends the watch. It must be called exactly once.
func (w *Watch[S]) Close() {
	w.entry.fanout.remove(&w.waiter)
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.entry.watches--
	if w.entry.watches == 0 && !w.entry.version.Load().known {
		w.m.dropUnknown(w.entry.name)
	}
}
