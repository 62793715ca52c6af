package checker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Heartbeat detects that a loop of this process has stopped: the loop calls Beat, a check of Kind Process calls Run. After
// a suspension the check may run before the loop does, so use a FailureThreshold of at least 2. Create it with
// NewHeartbeat. All methods may be called concurrently.
type Heartbeat struct {
	limit time.Duration
	base  time.Time
	last  atomic.Int64 // the last beat, in nanoseconds since base on the monotonic clock
}

// NewHeartbeat returns a heartbeat that fails after limit without a beat, 30 s if limit is not positive. Its creation
// counts as the first beat.
func NewHeartbeat(limit time.Duration) *Heartbeat {
	if limit <= 0 {
		limit = 30 * time.Second
	}
	return &Heartbeat{limit: limit, base: time.Now()}
}

// Beat records that the loop runs. It costs a clock reading and an atomic store.
func (h *Heartbeat) Beat() { h.last.Store(int64(time.Since(h.base))) }

// Run fails if the last beat is older than the limit. It fits Check.Run.
func (h *Heartbeat) Run(context.Context) error {
	if age := time.Since(h.base) - time.Duration(h.last.Load()); age > h.limit {
		return fmt.Errorf("no heartbeat for %v, the limit is %v", age.Round(time.Millisecond), h.limit)
	}
	return nil
}
