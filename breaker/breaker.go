package breaker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// Breaker guards one dependency. Create it with New. All methods may be called concurrently.
type Breaker struct {
	cfg      Config
	base     time.Time // birth; every time.Duration in here that is a moment counts from it
	notifier *notifier // of the Group, if any

	// word is what a call must know: see the flags. It is written under mu and read by every call.
	word atomic.Uint64
	// consecutive failures. Failures add under mu; a success that sees it non-zero stores 0 without mu, which is as
	// if it had come a moment earlier or later.
	consecutive atomic.Uint32
	// rejection is what a call that is turned away gets. It is stored before the word that turns calls away.
	rejection atomic.Pointer[OpenError]
	// lastFailure is the error of the last failure. Only failures write it.
	lastFailure atomic.Pointer[error]
	passive     passiveState
	// stripes count what calls tell, late those results that arrive in a later closed state than their call was
	// admitted in: they count for life, but must not be in the window.
	stripes stripes
	late    callStripe
	// editions are published under mu, so that readers see transitions in order. Reading takes no lock.
	editions *broadcast.Value[Snapshot]
	// checked says that a check is attached. It is never unset.
	checked atomic.Bool

	// mu guards what follows. It is never held while foreign code runs, and no successful call through a closed
	// breaker takes it.
	mu            sync.Mutex
	machine       machine
	window        window
	current       Snapshot      // State and what belongs to it; the source of editions
	probe         *probe        // the half-open probe under way, if any
	retries       int           // probes that failed in a row
	due           time.Duration // when the open time or the probe's lease is over
	checkDeadline time.Duration // when half-open is no longer left to the check
	timer         *time.Timer
}

// The word of a Breaker: the number of the last transition, so that a result can be told from one of an earlier
// state, above these flags. 0 in the flags is a closed breaker whose window turns.
const (
	stateFlags  = 0b11 // a State
	turningAway = 1 << 2
	idle        = 1 << 3 // nobody has called for a window; the next call must start it
	probing     = 1 << 4 // a probe is under way; calls made in its name are let through
	epochShift  = 8

	slowPath = stateFlags | turningAway | idle | probing
)

// New returns a closed breaker, or all mistakes in cfg. It starts nothing.
func New(cfg Config) (*Breaker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return newBreaker(cfg, nil), nil
}

func newBreaker(cfg Config, notifier *notifier) *Breaker {
	b := &Breaker{cfg: cfg, base: time.Now(), notifier: notifier, stripes: newStripes()}
	b.window.span = cfg.Window
	b.window.restart(0, Calls{})
	b.machine.reset()
	b.current = Snapshot{Name: cfg.Name, ObserveOnly: cfg.ObserveOnly, Since: b.base, Transitions: map[State]uint64{Closed: 1}}
	first := b.current
	b.editions = broadcast.New(&first)
	b.word.Store(idle)
	return b
}

// Name returns Config.Name.
func (b *Breaker) Name() string { return b.cfg.Name }

// State returns the current state. It costs two reads, and the time of day while the breaker is open.
func (b *Breaker) State() State {
	snapshot := b.editions.Load()
	return snapshot.stateAt(time.Now)
}

func (b *Breaker) sinceBirth() time.Duration { return time.Since(b.base) }
