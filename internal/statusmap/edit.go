package statusmap

import "maps"

// edit is one change to a Board under its mutex. The known names are copied when the first of them comes or goes, so
// a change of state alone copies nothing.
type edit[S comparable] struct {
	board  *Map[S]
	names  map[string]*topic[S] // the published map, or a copy of it once copied is set
	copied bool

	// changed is the first topic whose edition was replaced, more are the others: a change of one name, the usual case,
	// needs no slice.
	changed *topic[S]
	more    []*topic[S]
}

// topic returns the topic of name: the one that is known or watched already, else a new one that is neither.
func (e *edit[S]) topic(name string) *topic[S] {
	if t, known := e.names[name]; known {
		return t
	}
	if t, watched := e.board.strangers[name]; watched {
		return t
	}
	return e.board.newTopic(name)
}

// refresh makes the topic's state agree with the opinions about it, and files the topic where it belongs.
func (e *edit[S]) refresh(t *topic[S]) {
	if state := e.board.verdict(t); state != t.current.Load().state {
		e.replace(t, state)
	}
	switch _, filed := e.names[t.name]; {
	case t.known() && !filed:
		e.own()
		e.names[t.name] = t
		e.board.forget(t.name)
	case !t.known() && filed:
		e.own()
		delete(e.names, t.name)
		if t.watches > 0 {
			e.board.remember(t)
		}
	}
}

// replace gives the topic a new edition, and notes that its watches are to be told, unless they have seen the last.
func (e *edit[S]) replace(t *topic[S], state S) {
	switch old := t.current.Swap(e.board.newEdition(state)); {
	case old.last:
	case e.changed == nil:
		e.changed = t
	default:
		e.more = append(e.more, t)
	}
}

func (e *edit[S]) own() {
	if !e.copied {
		e.names, e.copied = maps.Clone(e.names), true
	}
}

// commit shows the names to readers. Their states were stored before, so a reader who finds a name finds its state.
func (e *edit[S]) commit() {
	if e.copied {
		names := e.names
		e.board.known.Store(&names)
	}
}

// wake tells the watches of every topic that changed. It is called without the board's mutex.
func (e *edit[S]) wake() {
	if e.changed != nil {
		e.changed.round.tell()
	}
	for _, t := range e.more {
		t.round.tell()
	}
}
