// Package statusmap is a concurrent map from names to statuses, with watches of its entries.
//
// Concurrency: all methods of a Map may be called concurrently. Lookup takes no lock, except for a name that was added
// since the last few lookups. A Watch has one owner. A slow or blocked watch delays neither writers nor other watches.
//
// Cost: a lookup is one map access and two atomic loads. Adding a name is amortized O(1). Setting a status that is set
// already writes nothing. A change allocates once, however many watches there are; the writer wakes a few of them, which
// wake the others. An unknown name is dropped with its last watch. A Map starts no goroutine.
package statusmap

import (
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// Map maps names to statuses. Create it with New.
type Map[S comparable] struct {
	// read is what lookups use without a lock. It is replaced under mu and never changes after the store.
	read atomic.Pointer[readMap[S]]

	mu             sync.Mutex
	known          map[string]*entry[S]
	unknownWatched map[string]*entry[S] // names that are watched but not known; nil when there are none
	unknown        S                    // status of names that are not known
	misses         int                  // uses of known in place of read since read was replaced
	ended          bool

	done chan struct{} // closed when ended is set
}

// readMap is a copy of Map.known. It is incomplete while known holds names that it lacks.
type readMap[S comparable] struct {
	entries    map[string]*entry[S]
	incomplete bool
}

// entry is one name. It lives as long as the name is known or watched.
type entry[S comparable] struct {
	name string
	// version is replaced under Map.mu and read without a lock.
	version atomic.Pointer[version[S]]
	first   version[S] // the first one, in the entry's own memory
	fanout  *fanout    // of its watches, nil until the first one; guarded by Map.mu
	watches int        // guarded by Map.mu
}

// version is a status of an entry. It never changes. A watch ends with a version that is last.
type version[S comparable] struct {
	status      S
	known, last bool
}

// New returns an empty Map. A watch of a name that is not in the map sees the status unknown.
func New[S comparable](unknown S) *Map[S] {
	m := &Map[S]{unknown: unknown, known: make(map[string]*entry[S]), done: make(chan struct{})}
	m.read.Store(&readMap[S]{})
	return m
}

// Lookup returns the status of name, and false if it is not in the map. It does not allocate.
func (m *Map[S]) Lookup(name string) (status S, known bool) {
	read := m.read.Load()
	if e := read.entries[name]; e != nil {
		if v := e.version.Load(); v.known {
			return v.status, true
		}
	}
	if !read.incomplete {
		return status, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.miss()
	if e := m.known[name]; e != nil {
		return e.version.Load().status, true
	}
	return status, false
}

// miss counts a use of known in place of read, and copies known after as many of them as the copy costs.
func (m *Map[S]) miss() {
	if m.misses++; m.misses >= len(m.known) {
		m.complete()
	}
}

// complete makes read a copy of known. It is called under mu.
func (m *Map[S]) complete() {
	m.misses = 0
	m.read.Store(&readMap[S]{entries: maps.Clone(m.known)})
}

// Len returns the number of names in the map.
func (m *Map[S]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.known)
}

// All yields every name with its status, in no order. It is no snapshot: each pair is true when it is yielded.
func (m *Map[S]) All() iter.Seq2[string, S] {
	return func(yield func(string, S) bool) {
		m.mu.Lock()
		if m.read.Load().incomplete {
			m.complete()
		}
		entries := m.read.Load().entries
		m.mu.Unlock()
		for name, e := range entries {
			if v := e.version.Load(); v.known && !yield(name, v.status) {
				return
			}
		}
	}
}

// Set gives name a status and adds it if it is not in the map.
func (m *Map[S]) Set(name string, status S) {
	m.mu.Lock()
	e := m.known[name]
	if e == nil {
		if e = m.unknownWatched[name]; e == nil {
			e = m.newEntry(name, version[S]{status: status, known: true, last: m.ended})
		}
		m.dropUnknown(name)
		m.known[name] = e
		if read := m.read.Load(); !read.incomplete {
			m.read.Store(&readMap[S]{entries: read.entries, incomplete: true})
		}
	}
	watches := m.replace(e, status, true)
	m.mu.Unlock()
	watches.notify()
}

// Delete removes name.
func (m *Map[S]) Delete(name string) {
	m.mu.Lock()
	e := m.known[name]
	if e == nil {
		m.mu.Unlock()
		return
	}
	delete(m.known, name)
	m.miss() // read still holds it
	if e.watches > 0 {
		m.addUnknown(e)
	}
	watches := m.replace(e, m.unknown, false)
	m.mu.Unlock()
	watches.notify()
}

// SetUnknown changes the status that watches see of names that are not in the map.
func (m *Map[S]) SetUnknown(status S) {
	m.mu.Lock()
	m.unknown = status
	changed := make([]*fanout, 0, len(m.unknownWatched))
	for _, e := range m.unknownWatched {
		changed = append(changed, m.replace(e, status, false))
	}
	m.mu.Unlock()
	notifyAll(changed)
}

// End makes the newest status of each name the last one that watches see, present and future ones. Lookups go on. It may
// be called more than once.
func (m *Map[S]) End() {
	m.mu.Lock()
	if m.ended {
		m.mu.Unlock()
		return
	}
	m.ended = true
	close(m.done)
	changed := make([]*fanout, 0, len(m.known)+len(m.unknownWatched))
	for _, entries := range []map[string]*entry[S]{m.known, m.unknownWatched} {
		for _, e := range entries {
			old := e.version.Load()
			e.version.Store(&version[S]{status: old.status, known: old.known, last: true})
			changed = append(changed, e.fanout)
		}
	}
	m.mu.Unlock()
	notifyAll(changed)
}

// Ended returns a channel that End closes.
func (m *Map[S]) Ended() <-chan struct{} { return m.done }

func notifyAll(changed []*fanout) {
	for _, watches := range changed {
		watches.notify()
	}
}

// replace gives e a new version unless it would be equal, and returns the watches to notify once mu is released, nil if
// there are none. It is called under mu.
func (m *Map[S]) replace(e *entry[S], status S, known bool) (watches *fanout) {
	old := e.version.Load()
	if old.status == status && old.known == known {
		return nil
	}
	e.version.Store(&version[S]{status: status, known: known, last: m.ended})
	if old.last || old.status == status {
		return nil
	}
	return e.fanout
}

// unknownEntry returns the entry of a name that is not in the map, a new one if it is not watched.
func (m *Map[S]) unknownEntry(name string) *entry[S] {
	if e := m.unknownWatched[name]; e != nil {
		return e
	}
	return m.newEntry(name, version[S]{status: m.unknown, last: m.ended})
}

func (m *Map[S]) newEntry(name string, first version[S]) *entry[S] {
	e := &entry[S]{name: name, first: first}
	e.version.Store(&e.first)
	return e
}

func (m *Map[S]) addUnknown(e *entry[S]) {
	if m.unknownWatched == nil {
		m.unknownWatched = make(map[string]*entry[S])
	}
	m.unknownWatched[e.name] = e
}

// dropUnknown removes name from unknownWatched, and the map with its last entry, because a Go map never shrinks.
func (m *Map[S]) dropUnknown(name string) {
	delete(m.unknownWatched, name)
	if len(m.unknownWatched) == 0 {
		m.unknownWatched = nil
	}
}
