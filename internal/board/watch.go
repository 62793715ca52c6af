package board

// Watch follows one name, known or not.
type Watch[S comparable] struct {
	board *Board[S]
	topic *topic[S]
	name  string
}

// Watch follows name until the Watch is closed.
func (b *Board[S]) Watch(name string) *Watch[S] {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, known := (*b.known.Load())[name]
	if !known {
		if t = b.strangers[name]; t == nil {
			t = newTopic(name == b.cfg.Exempt, b.cfg.Unknown)
			t.current.Store(newEdition(b.verdict(t)))
			b.remember(name, t)
		}
	}
	t.watches++
	return &Watch[S]{board: b, topic: t, name: name}
}

// Next returns the newest state and a channel that is closed as soon as a newer one can be loaded.
// A watch that is slower than the changes sees the newest state only.
func (w *Watch[S]) Next() (state S, next <-chan struct{}) {
	e := w.topic.current.Load()
	return e.state, e.next
}

// Close ends the watch. Call it exactly once. What the board kept only for this watch is gone afterwards.
func (w *Watch[S]) Close() {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	if w.topic.watches--; w.topic.watches == 0 {
		w.board.forget(w.name)
	}
}

// End tells all watches, present and future, to finish. It may be called more than once.
func (b *Board[S]) End() { b.end.Do(func() { close(b.ended) }) }

// Ended is closed by End.
func (b *Board[S]) Ended() <-chan struct{} { return b.ended }

func (b *Board[S]) remember(name string, t *topic[S]) {
	if b.strangers == nil {
		b.strangers = make(map[string]*topic[S])
	}
	b.strangers[name] = t
}

// forget drops the topic of a name that is known now, or that nobody watches any more. The map goes with its last
// entry, because a Go map keeps the room it once needed.
func (b *Board[S]) forget(name string) {
	delete(b.strangers, name)
	if len(b.strangers) == 0 {
		b.strangers = nil
	}
}
