package statusmap

import (
	"iter"
	"sync"
	"sync/atomic"
)

// Config gives the states that a Board itself must understand.
type Config[S comparable] struct {
	// Serving, NotServing and Unknown are the states of a name that serves, that does not, and that nobody knows.
	Serving, NotServing, Unknown S
	// Exempt is a name that Shut and Drain leave to the judge, as long as the judge speaks about it.
	Exempt string
}

// Map knows the state of names. Create it with New.
type Map[S comparable] struct {
	cfg Config[S]

	// known is replaced under mu and read by everybody. The map never changes after the store; every topic in it has
	// a judge's opinion or an application's word, and a state that agrees with them.
	known atomic.Pointer[map[string]*topic[S]]

	mu        sync.Mutex
	strangers map[string]*topic[S] // unknown names with at least one watch; nil when there are none
	shut      bool
	draining  bool
	ended     bool

	over chan struct{} // closed when ended is set
}

// New returns a Board that knows no name.
func New[S comparable](cfg Config[S]) *Map[S] {
	b := &Map[S]{cfg: cfg, over: make(chan struct{})}
	b.known.Store(&map[string]*topic[S]{})
	return b
}

// Lookup returns the state of name, or false if nobody knows it. It takes no lock and does not allocate.
func (b *Map[S]) Lookup(name string) (state S, known bool) {
	t, known := (*b.known.Load())[name]
	if !known {
		return b.cfg.Unknown, false
	}
	return t.current.Load().state, true
}

// Len returns how many names are known.
func (b *Map[S]) Len() int { return len(*b.known.Load()) }

// All yields every known name with its state, in no order. Each pair is true when it is yielded; together they are not
// a snapshot.
func (b *Map[S]) All() iter.Seq2[string, S] {
	return func(yield func(string, S) bool) {
		for name, t := range *b.known.Load() {
			if !yield(name, t.current.Load().state) {
				return
			}
		}
	}
}

// Word returns what the application last said about name, and false if it said nothing.
func (b *Map[S]) Word(name string) (state S, given bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t, known := (*b.known.Load())[name]; known {
		return t.word.state, t.word.given
	}
	return b.cfg.Unknown, false
}

// Publish replaces everything the judge says: names that are in states get that state, names that no longer are lose
// the judge's opinion, and become unknown unless the application has spoken about them.
func (b *Map[S]) Publish(states map[string]S) {
	b.mu.Lock()
	e := edit[S]{board: b, names: *b.known.Load()}
	for name, t := range *b.known.Load() {
		if _, still := states[name]; !still && t.judged.given {
			t.judged = opinion[S]{}
			e.refresh(t)
		}
	}
	for name, state := range states {
		t := e.topic(name)
		t.judged = opinion[S]{state, true}
		e.refresh(t)
	}
	e.commit()
	b.mu.Unlock()
	e.wake()
}

// Set records the application's word about name, and makes it known. It reports whether the word was taken: after Shut
// and during Drain it is not.
func (b *Map[S]) Set(name string, state S) bool {
	b.mu.Lock()
	if b.shut || b.draining {
		b.mu.Unlock()
		return false
	}
	if t, known := (*b.known.Load())[name]; known && t.word == (opinion[S]{state, true}) {
		b.mu.Unlock()
		return true
	}
	e := edit[S]{board: b, names: *b.known.Load()}
	t := e.topic(name)
	t.word = opinion[S]{state, true}
	e.refresh(t)
	e.commit()
	b.mu.Unlock()
	e.wake()
	return true
}

// Shut takes out every known name until Open. Names that nobody knows stay unknown.
func (b *Map[S]) Shut() {
	b.eachTopic((*edit[S]).refresh, func() { b.shut = true })
}

// Open ends Shut and turns every word of the application into Serving. It does not end Drain.
func (b *Map[S]) Open() {
	b.eachTopic((*edit[S]).refresh, func() {
		b.shut = false
		for _, t := range *b.known.Load() {
			if t.word.given {
				t.word.state = b.cfg.Serving
			}
		}
	})
}

// Drain takes out every name for good, and tells every watch, those of unknown names too.
func (b *Map[S]) Drain() {
	b.eachTopic((*edit[S]).refresh, func() { b.draining = true })
}

// End tells all watches, present and future, that what they see is the last. It may be called more than once.
func (b *Map[S]) End() {
	again := func(e *edit[S], t *topic[S]) { e.replace(t, t.current.Load().state) }
	b.eachTopic(again, func() {
		if !b.ended {
			b.ended = true
			close(b.over)
		}
	})
}

// Ended is closed by End, for those who must end with the watches without being one.
func (b *Map[S]) Ended() <-chan struct{} { return b.over }

// eachTopic runs turn, which only writes what mu guards, and then apply for every topic.
func (b *Map[S]) eachTopic(apply func(*edit[S], *topic[S]), turn func()) {
	b.mu.Lock()
	turn()
	e := &edit[S]{board: b, names: *b.known.Load()}
	for _, t := range *b.known.Load() {
		apply(e, t)
	}
	for _, t := range b.strangers {
		apply(e, t)
	}
	e.commit()
	b.mu.Unlock()
	e.wake()
}
