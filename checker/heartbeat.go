package checker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Heartbeat checks that a loop of this process still turns: the loop calls Beat, a check of Kind Process calls Run.
// A process that was stopped for a while may ask before its loop has turned again: a FailureThreshold of 2 or more
// forgives that. Create it with NewHeartbeat. All methods may be called concurrently.
type Heartbeat struct {
	limit time.Duration
	base  time.Time
	// last is when the last beat was, in nanoseconds since base on the monotonic clock. Any loop writes it, Run reads
	// it; nothing else is published through it, so order does not matter.
	last atomic.Int64
}

// NewHeartbeat returns a heartbeat that may pause for limit, 30 s if that is not positive. It begins with a beat, so
// that the loop has limit to start.
func NewHeartbeat(limit time.Duration) *Heartbeat {
	if limit <= 0 {
		limit = 30 * time.Second
	}
	return &Heartbeat{limit: limit, base: time.Now()}
}

// Beat says that the loop turns. It costs a clock reading and an atomic store, and allocates nothing.
func (h *Heartbeat) Beat() { h.last.Store(int64(time.Since(h.base))) }

// Run fails if the last beat is older than the limit. It fits Check.Run.
func (h *Heartbeat) Run(context.Context) error {
	if age := time.Since(h.base) - time.Duration(h.last.Load()); age > h.limit {
		return fmt.Errorf("no heartbeat for %v, the limit is %v", age.Round(time.Millisecond), h.limit)
	}
	return nil
}
