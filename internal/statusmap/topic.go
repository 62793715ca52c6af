package statusmap

import "sync/atomic"

// topic is one name with what is said about it. It lives as long as somebody knows or watches the name.
type topic[S comparable] struct {
	name string

	// current is replaced under the board's mutex and read by everybody.
	current atomic.Pointer[edition[S]]

	// round tells the watches, without the board's mutex.
	round round

	// The board's mutex guards what follows.
	watches int
	judged  opinion[S]
	word    opinion[S]
	exempt  bool
}

// edition is a state that held for a while. It never changes. The last is one that watches look no further than, because
// the board has ended, although readers may see other states still.
type edition[S comparable] struct {
	state S
	last  bool
}

// opinion is what one of the two parties says about a name. The zero value says nothing.
type opinion[S comparable] struct {
	state S
	given bool
}

// known reports whether anybody has spoken about the topic.
func (t *topic[S]) known() bool { return t.judged.given || t.word.given }

// verdict is the state that follows from the opinions and the switches. It is called under the mutex.
func (b *Map[S]) verdict(t *topic[S]) S {
	switch {
	case t.exempt && t.judged.given:
		return b.agreed(t)
	case b.draining:
		return b.cfg.NotServing
	case !t.known():
		return b.cfg.Unknown
	case b.shut:
		return b.cfg.NotServing
	default:
		return b.agreed(t)
	}
}

// agreed is what judge and application say together: the judge's opinion, unless it is Serving and the application
// has something to add.
func (b *Map[S]) agreed(t *topic[S]) S {
	switch {
	case !t.judged.given:
		return t.word.state
	case t.judged.state == b.cfg.Serving && t.word.given:
		return t.word.state
	default:
		return t.judged.state
	}
}
