package servicer

import (
	"time"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/usercode"
)

const (
	// requestInterval is how often the recorder is read while there are calls or recent ones.
	requestInterval = time.Second
	// messageInterval is how often it is read while calls are open that do nothing: messages of streams notify nothing.
	messageInterval = 10 * time.Second
)

// requests reads the recorder. While no call is open and the window is empty, the last snapshot stays true: an idle server
// does not read the counters of thousands of methods.
type requests struct {
	recorder *interceptor.Recorder // nil: none
	last     *interceptor.Snapshot
	changed  <-chan struct{} // closed by a call that last may lack
	idle     bool
	stuck    stuckCalls
}

func (r *requests) read() (*interceptor.Snapshot, error) {
	called := r.called()
	if r.idle && !called && !r.outdated() {
		last := *r.last
		last.Time = time.Now()
		return &last, nil
	}
	r.changed = r.recorder.Changed()
	now, err := usercode.Call(r.recorder.Server)
	// The counters of a call that has closed the channel may follow a moment later.
	r.idle = !called && now != nil && now.Window.Requests == 0 && now.Window.LatencySamples == 0 && sameRequests(r.last, now)
	r.last = now
	return now, err
}

// called reports whether a call has begun or ended since the last read.
func (r *requests) called() bool {
	select {
	case <-r.changed:
		return true
	default:
		return false
	}
}

// outdated reports whether an open stream may have had messages for messageInterval that last lacks.
func (r *requests) outdated() bool {
	return r.last.Total.InFlight() > 0 && time.Since(r.last.Time) >= messageInterval
}

// next returns when to read again, and a channel that is closed when that is in requestInterval from then; zero and nil
// for never.
func (r *requests) next() (time.Time, <-chan struct{}) {
	switch {
	case r.recorder == nil:
		return time.Time{}, nil
	case r.idle && r.last.Total.InFlight() > 0:
		return r.last.Time.Add(messageInterval), r.changed
	case r.idle:
		return time.Time{}, r.changed
	default:
		return time.Now().Add(requestInterval), nil
	}
}
