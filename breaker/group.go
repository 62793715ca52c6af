package breaker

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// GroupConfig configures a Group.
type GroupConfig struct {
	// Breaker configures every breaker. Its Name is the name of the shared breaker and, followed by a slash and the key,
	// of the others.
	Breaker Config
	// MaxBreakers is the number of keys with a breaker of their own. Default 256.
	MaxBreakers int
}

// Group holds one breaker per key: per target of a client, per method, per tenant. Keys may come from untrusted input:
// keys beyond the limit share one breaker. Create it with NewGroup. It is safe for concurrent use.
type Group struct {
	cfg     GroupConfig
	changes *broadcast.Value[struct{}]
	shared  *Breaker
	// members is replaced as a whole, under mu; a lookup is one read and a map access.
	members atomic.Pointer[map[string]*Breaker]
	mu      sync.Mutex
}

// NewGroup returns an empty Group, or all mistakes in cfg. It starts nothing.
func NewGroup(cfg GroupConfig) (*Group, error) {
	cfg.Breaker = cfg.Breaker.withDefaults()
	cfg.MaxBreakers = cmp.Or(cfg.MaxBreakers, 256)
	err := cfg.Breaker.validate()
	if cfg.MaxBreakers < 0 {
		err = errors.Join(err, fmt.Errorf("breaker group %q: Limit: got %d, want a positive number", cfg.Breaker.Name, cfg.MaxBreakers))
	}
	if err != nil {
		return nil, err
	}
	g := &Group{cfg: cfg, changes: broadcast.New(&struct{}{})}
	g.shared = newBreaker(cfg.Breaker, g.changes)
	g.members.Store(&map[string]*Breaker{})
	return g, nil
}

// Get returns the breaker of key and creates it on first use. A leading slash, as in a gRPC method, is ignored. Keys
// beyond Limit, and keys that are too long or unprintable, get the shared breaker.
func (g *Group) Get(key string) *Breaker {
	key = strings.TrimPrefix(key, "/")
	if b := (*g.members.Load())[key]; b != nil {
		return b
	}
	return g.add(key)
}

func (g *Group) add(key string) *Breaker {
	if len(*g.members.Load()) >= g.cfg.MaxBreakers {
		return g.shared
	}
	cfg := g.cfg.Breaker
	cfg.Name += "/" + key
	if len(cfg.Name) > maxName || !printable(cfg.Name) {
		return g.shared
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	old := *g.members.Load()
	if b := old[key]; b != nil || len(old) >= g.cfg.MaxBreakers {
		return cmp.Or(b, g.shared)
	}
	grown := maps.Clone(old)
	key = strings.Clone(key) // it may be part of a larger string
	grown[key] = newBreaker(cfg, g.changes)
	g.members.Store(&grown)
	return grown[key]
}

// Snapshots returns the snapshots of all breakers created so far, sorted by name. The shared one is included after its
// first call or transition. It implements SnapshotSource and takes no lock.
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

// Changed returns a channel that is closed at the next transition of any breaker. Call it before Snapshots.
func (g *Group) Changed() <-chan struct{} { return g.changes.Changed() }
