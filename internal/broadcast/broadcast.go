// Package broadcast publishes the newest version of an immutable value.
//
// A reader loads it with one atomic read or waits for the next version; a slow reader skips versions and never blocks a
// writer. Storing allocates one version and one channel, whatever the number of readers.
package broadcast

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// Value holds the newest version of T. Create it with New. All methods may be called concurrently.
type Value[T any] struct {
	// mu orders writers, so that each version's channel is closed exactly once. Readers never take it.
	mu sync.Mutex
	// current is stored under mu. A version's channel is closed after its successor can be loaded.
	current atomic.Pointer[version[T]]
}

type version[T any] struct {
	value *T
	next  chan struct{} // closed when a newer version can be loaded
}

// New returns a Value with the version first.
func New[T any](first *T) *Value[T] {
	v := &Value[T]{}
	v.current.Store(&version[T]{value: first, next: make(chan struct{})})
	return v
}

// Load returns the newest version by one atomic read.
func (v *Value[T]) Load() *T { return v.current.Load().value }

// Changed returns a channel that is closed when a newer version can be loaded. Fetch it before Load.
func (v *Value[T]) Changed() <-chan struct{} { return v.current.Load().next }

// Store makes value the newest version and wakes all waiting readers. The caller must not change it afterwards.
func (v *Value[T]) Store(value *T) {
	v.mu.Lock()
	old := v.current.Swap(&version[T]{value: value, next: make(chan struct{})})
	v.mu.Unlock()
	close(old.next)
}

// Changes yields the newest version at once and then each newer one, until ctx is done or the loop is left. A reader that
// is slower than the writer skips versions.
func (v *Value[T]) Changes(ctx context.Context) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for {
			newest := v.current.Load()
			if ctx.Err() != nil || !yield(newest.value) {
				return
			}
			select {
			case <-newest.next:
			case <-ctx.Done():
				return
			}
		}
	}
}
