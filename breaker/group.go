package breaker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// GroupConfig describes a Group.
type GroupConfig struct {
	// Breaker is the template of every breaker. Its Name is the name of the shared breaker and the first part of the
	// others' names.
	Breaker Config
	// Limit is how many keys get a breaker of their own. Default 256.
	Limit int
}

// Group holds one breaker per key: per target of a client, per method, per tenant. Keys may come from strangers: only
// so many get a breaker of their own, all others share one. Create it with NewGroup. All methods may be called
// concurrently.
type Group struct {
	cfg      GroupConfig
	notifier *notifier
	shared   *Breaker
	// members is replaced as a whole, under mu; a lookup is one read and a map access.
	members atomic.Pointer[map[string]*Breaker]
	mu      sync.Mutex
}

// NewGroup returns an empty Group, or all mistakes in cfg. It starts nothing.
func NewGroup(cfg GroupConfig) (*Group, error) {
	cfg.Breaker = cfg.Breaker.withDefaults()
	orInt(&cfg.Limit, 256)
	err := cfg.Breaker.validate()
	if cfg.Limit < 0 {
		err = errors.Join(err, fmt.Errorf("breaker group %q: Limit is %d, want a positive number", cfg.Breaker.Name, cfg.Limit))
	}
	if err != nil {
		return nil, err
	}
	g := &Group{cfg: cfg, notifier: newNotifier()}
	g.shared = newBreaker(cfg.Breaker, g.notifier)
	g.members.Store(&map[string]*Breaker{})
	return g, nil
}

// Get returns the breaker of key, and makes it at the first call. A leading slash, as of a gRPC method, does not matter.
// Once Limit is reached, and for keys that are too long or unprintable for a name, it returns the shared breaker.
func (g *Group) Get(key string) *Breaker {
	key = strings.TrimPrefix(key, "/")
	if b := (*g.members.Load())[key]; b != nil {
		return b
	}
	return g.add(key)
}

func (g *Group) add(key string) *Breaker {
	if len(*g.members.Load()) >= g.cfg.Limit {
		return g.shared
	}
	cfg := g.cfg.Breaker
	cfg.Name += "/" + key
	if len(cfg.Name) > maxName || !presentable(cfg.Name) {
		return g.shared
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	old := *g.members.Load()
	if b := old[key]; b != nil {
		return b
	}
	if len(old) >= g.cfg.Limit {
		return g.shared
	}
	grown := maps.Clone(old)
	// The map outlives the call whose memory key may be part of.
	key = strings.Clone(key)
	grown[key] = newBreaker(cfg, g.notifier)
	g.members.Store(&grown)
	return grown[key]
}

// Snapshots returns the snapshots of all breakers made so far, sorted by name. The shared one is among them once it
// has seen a call or a transition. It implements Source and takes no lock.
func (g *Group) Snapshots() []Snapshot {
	members := *g.members.Load()
	all := make([]Snapshot, 0, len(members)+1)
	for _, b := range members {
		all = append(all, b.Snapshot())
	}
	if s := g.shared.Snapshot(); s.Calls != (Calls{}) || s.State != Closed || s.Forced || s.Transitions[Open] > 0 {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Changed returns a channel that is closed at the next transition of any breaker in the group. To miss nothing, call
// it before Snapshots.
func (g *Group) Changed() <-chan struct{} { return g.notifier.changed() }

// notifier wakes the readers of a whole group. Rings are counted only because an edition needs a value.
type notifier struct {
	changes *broadcast.Value[struct{}]
}

func newNotifier() *notifier { return &notifier{changes: broadcast.New(&struct{}{})} }

func (b *notifier) notify() { b.changes.Store(&struct{}{}) }

func (b *notifier) changed() <-chan struct{} {
	_, next := b.changes.Next()
	return next
}
