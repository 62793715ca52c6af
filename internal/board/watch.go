package board

// Watch follows one name, known or not. It is a value, so that it can live on its owner's stack.
type Watch[S comparable] struct {
	board *Board[S]
	topic *topic[S]
}

// Watch follows name until the Watch is closed.
func (b *Board[S]) Watch(name string) Watch[S] {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, known := (*b.known.Load())[name]
	if !known {
		if t = b.strangers[name]; t == nil {
			t = b.newTopic(name)
			b.remember(t)
		}
	}
	t.watches++
	return Watch[S]{board: b, topic: t}
}

// Next returns the newest state and a channel that is closed as soon as there is more to see; nil if there never will
// be, because the board has ended. A watch that is slower than the changes sees the newest state only.
func (w Watch[S]) Next() (state S, next <-chan struct{}) {
	e := w.topic.current.Load()
	return e.state, e.next
}

// Close ends the watch. Call it exactly once. What the board kept only for this watch is gone afterwards.
func (w Watch[S]) Close() {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	if w.topic.watches--; w.topic.watches == 0 {
		w.board.forget(w.topic.name)
	}
}

// newTopic returns a topic that nobody has spoken about yet, with the state that unknown names have at the moment.
func (b *Board[S]) newTopic(name string) *topic[S] {
	t := &topic[S]{name: name, exempt: name == b.cfg.Exempt}
	t.current.Store(b.newEdition(b.verdict(t)))
	return t
}

func (b *Board[S]) newEdition(state S) *edition[S] {
	if b.ended {
		return &edition[S]{state: state}
	}
	return &edition[S]{state: state, next: make(chan struct{})}
}

func (b *Board[S]) remember(t *topic[S]) {
	if b.strangers == nil {
		b.strangers = make(map[string]*topic[S])
	}
	b.strangers[t.name] = t
}

// forget drops the topic of a name that is known now, or that nobody watches any more. The map goes with its last
// entry, because a Go map keeps the room it once needed.
func (b *Board[S]) forget(name string) {
	delete(b.strangers, name)
	if len(b.strangers) == 0 {
		b.strangers = nil
	}
}
