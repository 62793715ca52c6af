package resource

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// filesystem measures one path, and survives that the path's mount is dead.
type filesystem struct {
	host host
	path string

	mu sync.Mutex
	// asking is the call in flight, nil if there is none. It outlives the run that started it when the mount hangs.
	asking *diskCall
}

// diskCall is one call of Host.Disk. usage, err and panicked are written before done is closed, and never again.
type diskCall struct {
	since    time.Time
	done     chan struct{}
	usage    usage
	err      error
	panicked any
}

// hanging is the age at which a call that has not returned is known to hang.
const hanging = time.Second

// patience is the share of the time left until the context's deadline that a run waits for the filesystem: it answers
// for itself before its caller gives up on it.
const patience = 0.8

func (f *filesystem) measure(ctx context.Context) (checker.Measurement, error) {
	call, earlier := f.query(ctx)
	if earlier && time.Since(call.since) > hanging {
		return checker.Measurement{}, f.hangs(call) // waiting again would teach nothing
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(patience*float64(time.Until(deadline))))
		defer cancel()
	}
	select {
	case <-call.done:
	case <-ctx.Done():
		return checker.Measurement{}, f.hangs(call)
	}
	if call.panicked != nil {
		panic(call.panicked)
	}
	if call.err != nil {
		return checker.Measurement{}, fmt.Errorf("reading the usage of %s: %w", f.path, call.err)
	}
	return checker.Measurement{
		Value: call.usage.percent(), Unit: "%", Source: "of " + humanSize(call.usage.Total),
	}, nil
}

// query returns the call in flight, or starts one. Earlier tells that it was in flight already.
func (f *filesystem) query(ctx context.Context) (call *diskCall, earlier bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asking != nil && !f.asking.over() {
		return f.asking, true
	}
	call = &diskCall{since: time.Now(), done: make(chan struct{})}
	f.asking = call
	// The goroutine belongs to nobody once its mount hangs; that there is no second one is all that can be done.
	go call.make(context.WithoutCancel(ctx), f.host, f.path)
	return call, false
}

func (c *diskCall) make(ctx context.Context, host host, path string) {
	defer close(c.done)
	defer func() { c.panicked = recover() }()
	c.usage, c.err = host.Disk(ctx, path)
}

func (c *diskCall) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (f *filesystem) hangs(call *diskCall) error {
	return fmt.Errorf("the filesystem of %s has not answered for %v: is it a network mount whose server is gone? %w",
		f.path, time.Since(call.since).Round(time.Millisecond), checker.ErrInconclusive)
}
