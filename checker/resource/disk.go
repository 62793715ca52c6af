package resource

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// filesystem measures one path. Its mount may hang.
type filesystem struct {
	host host
	path string

	mu   sync.Mutex
	last *diskCall // possibly in flight, also after the run that started it; nil before the first
}

// diskCall is one call of host.Disk. The fields are written before done is closed.
type diskCall struct {
	since    time.Time
	done     chan struct{}
	usage    usage
	err      error
	panicked any
}

// hanging is the age from which a call that has not returned counts as hanging.
const hanging = time.Second

// waitShare is the share of the time to the context's deadline that a run waits for the filesystem.
const waitShare = 0.8

func (f *filesystem) measure(ctx context.Context) (checker.Measurement, error) {
	call, earlier := f.call(ctx)
	if earlier && time.Since(call.since) > hanging {
		return checker.Measurement{}, f.hangs(call)
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(waitShare*float64(time.Until(deadline))))
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

// call returns the call in flight, or starts one. Earlier is true if it was in flight already.
func (f *filesystem) call(ctx context.Context) (call *diskCall, earlier bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil {
		select {
		case <-f.last.done:
		default:
			return f.last, true
		}
	}
	f.last = &diskCall{since: time.Now(), done: make(chan struct{})}
	go f.last.make(context.WithoutCancel(ctx), f.host, f.path) // may never return
	return f.last, false
}

func (c *diskCall) make(ctx context.Context, host host, path string) {
	defer close(c.done)
	defer func() { c.panicked = recover() }()
	c.usage, c.err = host.Disk(ctx, path)
}

func (f *filesystem) hangs(call *diskCall) error {
	return fmt.Errorf("the filesystem of %s has not responded for %v: is it a network mount whose server is down? %w",
		f.path, time.Since(call.since).Round(time.Millisecond), checker.ErrInconclusive)
}
