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
	"time"

	"github.com/vitals-go/vitals/internal/broadcast"
)

// GroupConfig configures a Group.
type GroupConfig struct {
	// Breaker configures every breaker. Its Name is the name of the shared breaker and, followed by a slash and the key,
	// of the others.
	Breaker Config
	// MaxBreakers is the number of keys with a breaker of their own. Default 256.
	MaxBreakers int
	// IdleTime is the time without calls after which a breaker is dropped, with its counters, to make room for other keys.
	// Breakers that are not closed, forced, attached to a check or remember a back-off remain. Default 1 h; negative means
	// that all remain.
	IdleTime time.Duration
	// Label returns what stands for a key in names, and so in reports and metrics: a hash, for instance, where keys are
	// secrets. Breakers of keys with the same label are reported as one. Default: the key.
	Label func(key string) string
}

// Group holds one breaker per key: per target of a client, per method, per tenant. Keys may come from untrusted input:
// keys beyond the limit share one breaker. Call Get for each call: an idle breaker is dropped. Create it with NewGroup. It is
// safe for concurrent use.
type Group struct {
	cfg     GroupConfig
	changes *broadcast.Value[struct{}]
	shared  *Breaker
	members sync.Map // of *Breaker by string; written under mu
	mu      sync.Mutex
	// carried holds the calls and transitions of dropped breakers, by the name that another member has too: what is reported
	// as one does not count backwards. It is guarded by mu.
	carried  map[string]Snapshot
	size     atomic.Int64 // of members; written under mu
	searched atomic.Int64 // when dropIdle last searched, in nanoseconds since shared was created
}

// maxKey is the greatest length of a key with a breaker of its own.
const maxKey = 4096

// NewGroup returns an empty Group, or all mistakes in cfg. It starts nothing.
func NewGroup(cfg GroupConfig) (*Group, error) {
	cfg.Breaker = cfg.Breaker.withDefaults()
	cfg.MaxBreakers = cmp.Or(cfg.MaxBreakers, 256)
	cfg.IdleTime = cmp.Or(cfg.IdleTime, time.Hour)
	if cfg.Label == nil {
		cfg.Label = func(key string) string { return key }
	}
	err := cfg.Breaker.validate()
	if cfg.MaxBreakers < 0 {
		err = errors.Join(err, fmt.Errorf("breaker group %q: MaxBreakers: got %d, want a positive number", cfg.Breaker.Name, cfg.MaxBreakers))
	}
	if err != nil {
		return nil, err
	}
	g := &Group{cfg: cfg, changes: broadcast.New(&struct{}{}), carried: map[string]Snapshot{}}
	g.shared = newBreaker(cfg.Breaker, g.changes)
	return g, nil
}

// Get returns the breaker of key and creates it on first use. A leading slash, as in a gRPC method, is ignored. Keys
// beyond MaxBreakers, and keys that are too long or unprintable, get the shared breaker.
func (g *Group) Get(key string) *Breaker {
	key = strings.TrimPrefix(key, "/")
	if b, found := g.members.Load(key); found {
		return b.(*Breaker)
	}
	return g.add(key)
}

func (g *Group) add(key string) *Breaker {
	if len(key) > maxKey || g.full() && !g.dropIdle() {
		return g.shared
	}
	cfg, label := g.cfg.Breaker, g.cfg.Label(key)
	if len(cfg.Name)+1+len(label) > maxName || !printable(label) {
		return g.shared
	}
	cfg.Name += "/" + label
	g.mu.Lock()
	defer g.mu.Unlock()
	if b, found := g.members.Load(key); found {
		return b.(*Breaker)
	}
	if g.full() {
		return g.shared
	}
	b := newBreaker(cfg, g.changes)
	g.members.Store(strings.Clone(key), b) // key may be part of a larger string
	g.size.Add(1)
	return b
}

func (g *Group) full() bool { return g.size.Load() >= int64(g.cfg.MaxBreakers) }

// dropIdle drops idle breakers, once in a tenth of IdleTime, and reports whether there were any.
func (g *Group) dropIdle() bool {
	elapsed, last := g.shared.elapsed(), g.searched.Load()
	if g.cfg.IdleTime < 0 || elapsed-time.Duration(last) < g.cfg.IdleTime/10 || !g.searched.CompareAndSwap(last, int64(elapsed)) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var dropped []Snapshot
	for key, b := range g.members.Range {
		if b := b.(*Breaker); b.unused(g.cfg.IdleTime) {
			g.members.Delete(key)
			g.size.Add(-1)
			dropped = append(dropped, b.Snapshot())
		}
	}
	if len(dropped) > 0 {
		g.carry(dropped)
	}
	return len(dropped) > 0
}

// carry keeps the counts of dropped breakers whose name another member has. The caller holds mu.
func (g *Group) carry(dropped []Snapshot) {
	alive := map[string]bool{}
	for _, b := range g.members.Range {
		alive[b.(*Breaker).cfg.Name] = true
	}
	for _, s := range dropped {
		carried := g.carried[s.Name]
		carried.add(&s)
		g.carried[s.Name] = carried
	}
	maps.DeleteFunc(g.carried, func(name string, _ Snapshot) bool { return !alive[name] })
}

// Snapshots returns the snapshots of all breakers, sorted by name. The shared one is included after its first call or
// transition. It implements SnapshotSource, and drops breakers that are idle.
func (g *Group) Snapshots() []Snapshot {
	g.dropIdle()
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Snapshot, 0, g.size.Load()+1)
	for _, b := range g.members.Range {
		all = append(all, b.(*Breaker).Snapshot())
	}
	if s := g.shared.Snapshot(); s.Calls != (Calls{}) || s.State != Closed || s.Forced || s.Transitions[Open] > 0 {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return strings.Compare(a.Name, b.Name) })
	for i := range all {
		if carried, found := g.carried[all[i].Name]; found && (i == 0 || all[i-1].Name != all[i].Name) {
			all[i].add(&carried)
		}
	}
	return all
}

// Changed returns a channel that is closed at the next transition of any breaker. Call it before Snapshots.
func (g *Group) Changed() <-chan struct{} { return g.changes.Changed() }
