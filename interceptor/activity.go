package interceptor

import "sync/atomic"

// activity notifies of calls after a pause. Calls write nothing while no channel is waited for.
type activity struct {
	change atomic.Pointer[chan struct{}] // closed at the next notification; nil until it is requested
}

// changed returns a channel that the next notify closes.
func (a *activity) changed() <-chan struct{} {
	made := make(chan struct{})
	for {
		if waiting := a.change.Load(); waiting != nil {
			return *waiting
		}
		if a.change.CompareAndSwap(nil, &made) {
			return made
		}
	}
}

func (a *activity) notify() {
	if a.change.Load() == nil {
		return
	}
	if waiting := a.change.Swap(nil); waiting != nil {
		close(*waiting)
	}
}

// Changed returns a channel that is closed when a server call begins or ends that is the first of its method in a twelfth
// of Config.Window. Its counters may follow a moment later. A reader that has seen an empty Snapshot.Window can wait for it
// instead of reading again: to miss nothing, call it before Server.
func (r *Recorder) Changed() <-chan struct{} { return r.server.activity.changed() }
