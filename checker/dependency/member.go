package dependency

import (
	"context"
	"errors"
	"fmt"
)

// member is a Member with its memory.
type member struct {
	Member
	// running holds a token while Run is running, so that a member which ignores its context is never run a second
	// time beside itself.
	running chan struct{}
}

var (
	errStuck  = errors.New("is still busy with an earlier run: it ignores its context")
	errGoexit = errors.New("ended its goroutine instead of returning")
)

// run runs the member once its last run is over, survives whatever it does, and tells exactly one answer. It is the
// body of a goroutine of its own: Goexit inside Run ends that.
func (m *member) run(ctx context.Context, tell func(error)) {
	if !m.acquire(ctx) {
		tell(errStuck)
		return
	}
	err := errGoexit
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panicked: %v", cause)
		}
		<-m.running
		tell(err)
	}()
	err = m.Run(ctx)
}

func (m *member) acquire(ctx context.Context) bool {
	select {
	case m.running <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
