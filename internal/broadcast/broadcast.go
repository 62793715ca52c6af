// Package latest broadcasts the newest edition of an immutable value.
//
// Writers store whole editions; readers load one with a single atomic read, or wait for the next one.
// A slow reader skips editions, never goes back and never blocks a writer. Storing costs one edition and one
// channel, however many readers wait.
package broadcast

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// Value holds the newest edition of T. Create it with New. All methods may be called concurrently.
type Value[T any] struct {
	// mu orders writers, so that each edition's channel is closed exactly once. Readers never take it.
	mu sync.Mutex
	// current is written under mu and read by everybody. Its fields never change after the store, and its channel
	// is closed only after the following edition can be loaded.
	current atomic.Pointer[version[T]]
}

type version[T any] struct {
	value *T
	next  chan struct{} // closed when this edition is no longer the newest
}

// New returns a Value whose first edition is first.
func New[T any](first *T) *Value[T] {
	v := &Value[T]{}
	v.current.Store(&version[T]{value: first, next: make(chan struct{})})
	return v
}

// Load returns the newest edition. It costs one atomic read.
func (v *Value[T]) Load() *T { return v.current.Load().value }

// Next returns the newest edition and a channel that is closed as soon as a newer one can be loaded.
func (v *Value[T]) Next() (*T, <-chan struct{}) {
	e := v.current.Load()
	return e.value, e.next
}

// Store makes value the newest edition and wakes everybody who waits. The caller must not change it afterwards.
func (v *Value[T]) Store(value *T) {
	v.mu.Lock()
	old := v.current.Swap(&version[T]{value: value, next: make(chan struct{})})
	v.mu.Unlock()
	close(old.next)
}

// Changes yields the newest edition at once and then each newer one, until ctx ends or the loop is left.
// A reader that is slower than the writer sees the newest edition only.
func (v *Value[T]) Changes(ctx context.Context) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for {
			value, next := v.Next()
			if ctx.Err() != nil || !yield(value) {
				return
			}
			select {
			case <-next:
			case <-ctx.Done():
				return
			}
		}
	}
}
