package breaker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// Breaker is the circuit breaker of one dependency. Create it with New. It is safe for concurrent use.
type Breaker struct {
	cfg     Config
	created time.Time // moments are durations since then
	// group is notified of each transition. It is nil outside a Group.
	group *broadcast.Value[struct{}]

	// word holds the number of the last transition above the flags below. It is written under mu and read by every call.
	word atomic.Uint64
	// consecutive failures. Failures add under mu. A success that reads another value than 0 stores 0 without mu, as if
	// it had ended a moment earlier or later.
	consecutive atomic.Uint32
	// rejection is the error of rejected calls. It is stored before the word that rejects them.
	rejection atomic.Pointer[OpenError]
	// lastFailure is written by failures only.
	lastFailure atomic.Pointer[error]
	passive     passiveState
	// stripes count results. late counts those that arrive in a later state than the one that allowed their call: they
	// belong to Snapshot.Calls but not to the window.
	stripes stripes
	late    callStripe
	// snapshots are stored under mu, in the order of the transitions. Reading takes no lock.
	snapshots *broadcast.Value[Snapshot]
	// checked is set by Check and never unset.
	checked atomic.Bool

	// mu guards the fields below. It is never held while code of the user runs, and no successful call through a closed
	// breaker takes it.
	mu            sync.Mutex
	machine       machine
	window        window
	current       Snapshot      // State and what belongs to it; copied into snapshots
	probe         *probe        // the half-open probe in flight, or nil
	retries       int           // how often the open time was doubled
	backOff       time.Duration // the last open time; 0 if it was not computed from retries
	closed        time.Duration // when the breaker last closed
	idleSince     time.Duration // when the idle flag was last set
	due           time.Duration // end of the open time or of MaxCallTime
	checkDeadline time.Duration // while half-open, end of the time reserved for the check
	timer         *time.Timer
}

// The flags of Breaker.word. A word without flags is a closed breaker with a rotating window.
const (
	stateFlags = 0b11 // a State
	rejecting  = 1 << 2
	idle       = 1 << 3 // no call for a whole window: the next call restarts the window
	probing    = 1 << 4 // calls made with the probe's context are allowed
	epochShift = 8

	slowPath = stateFlags | rejecting | idle | probing
)

// New returns a closed breaker, or all mistakes in cfg. It starts nothing.
func New(cfg Config) (*Breaker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return newBreaker(cfg, nil), nil
}

func newBreaker(cfg Config, group *broadcast.Value[struct{}]) *Breaker {
	b := &Breaker{cfg: cfg, created: time.Now(), group: group, stripes: newStripes()}
	b.window.span = cfg.Window
	b.window.restart(0, Calls{})
	b.machine.reset(cfg.SuccessThreshold)
	b.current = Snapshot{
		Name: cfg.Name, ObserveOnly: cfg.ObserveOnly, Since: b.created, Created: b.created, Transitions: map[State]uint64{Closed: 1},
	}
	first := b.current
	b.snapshots = broadcast.New(&first)
	b.word.Store(idle)
	return b
}

// Name returns Config.Name.
func (b *Breaker) Name() string { return b.cfg.Name }

// State returns the current state. It costs two reads, and one of the clock while the breaker is open.
func (b *Breaker) State() State { return b.snapshots.Load().stateAt(time.Now) }

func (b *Breaker) elapsed() time.Duration { return time.Since(b.created) }
