package servicer

import (
	"context"
	"time"

	"github.com/vitals-go/vitals/interceptor"
)

// httpPoll is how often calls in flight behind net/http are counted.
const httpPoll = 20 * time.Millisecond

// httpCalls are the calls behind net/http. grpc-go's server reports neither that it has some nor how many.
type httpCalls struct {
	*Server

	only bool // there is no other server
}

// use reports whether there has been one.
func (h *httpCalls) use() bool {
	return h.behindHTTP.Load() || h.cfg.Recorder != nil && h.cfg.Recorder.BehindHTTP()
}

// wait waits until no call that the recorder counts is in flight, and returns false if ctx is done before. The response of
// a call is written after the recorder has counted its end, so there must be none twice.
func (h *httpCalls) wait(ctx context.Context) bool {
	tick := time.NewTicker(httpPoll)
	defer tick.Stop()
	for none := 0; none < 2; none++ {
		if h.inFlight() {
			none = -1
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return none >= 0
		}
	}
	return true
}

func (h *httpCalls) inFlight() bool {
	if h.cfg.Recorder == nil {
		return false
	}
	for m := range h.cfg.Recorder.ServerTotals() {
		if m.Type != interceptor.Other && m.Total.InFlight() > 0 {
			return true
		}
	}
	return false
}
