package statusmap

// Watch follows one name, known or not. It has one owner, who alone calls its methods, and must not be copied.
type Watch[S comparable] struct {
	board *Map[S]
	topic *topic[S]
	seen  *edition[S] // what State returned last
	seat  seat
}

// Watch follows name until the Watch is closed.
func (b *Map[S]) Watch(name string) *Watch[S] {
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
	w := &Watch[S]{board: b, topic: t}
	t.round.enter(&w.seat)
	return w
}

// State returns the newest state, and whether it is the last one to see, because the board has ended. A watch that is
// slower than the changes sees the newest state only.
func (w *Watch[S]) State() (state S, last bool) {
	w.seen = w.topic.current.Load()
	return w.seen.state, w.seen.last
}

// Wait returns true as soon as there is more to see than State returned, and false when left is closed first. After the
// last state there never is.
func (w *Watch[S]) Wait(left <-chan struct{}) bool {
	return w.topic.round.wait(&w.seat, func() bool { return w.topic.current.Load() != w.seen }, left)
}

// Close ends the watch. Call it exactly once. What the board kept only for this watch is gone afterwards.
func (w *Watch[S]) Close() {
	w.topic.round.leave(&w.seat)
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	if w.topic.watches--; w.topic.watches == 0 {
		w.board.forget(w.topic.name)
	}
}

// newTopic returns a topic that nobody has spoken about yet, with the state that unknown names have at the moment.
func (b *Map[S]) newTopic(name string) *topic[S] {
	t := &topic[S]{name: name, exempt: name == b.cfg.Exempt}
	t.current.Store(b.newEdition(b.verdict(t)))
	return t
}

func (b *Map[S]) newEdition(state S) *edition[S] {
	return &edition[S]{state: state, last: b.ended}
}

func (b *Map[S]) remember(t *topic[S]) {
	if b.strangers == nil {
		b.strangers = make(map[string]*topic[S])
	}
	b.strangers[t.name] = t
}

// forget drops the topic of a name that is known now, or that nobody watches any more. The map goes with its last
// entry, because a Go map keeps the room it once needed.
func (b *Map[S]) forget(name string) {
	delete(b.strangers, name)
	if len(b.strangers) == 0 {
		b.strangers = nil
	}
}
