package grpcbreaker

import (
	"errors"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

var errAbandoned = errors.New("grpcbreaker: the call ended without a result (panic or runtime.Goexit)")

// callEnd is how a call ended.
type callEnd struct {
	outcome breaker.Outcome
	cause   error
	wait    time.Duration // for which the server wants to be left alone
}

// abandoned is the ending of a call that nobody has told of.
func abandoned() callEnd { return callEnd{outcome: breaker.Failure, cause: errAbandoned} }

// done tells b. A failure counts first, as it would without a hint, which can only lengthen the open time. Otherwise
// the trip comes first: after a neutral probe another call could slip in between.
func (e callEnd) done(b *breaker.Breaker, permit *breaker.Permit) {
	if e.outcome == breaker.Failure {
		permit.Record(e.outcome, e.cause)
	}
	b.TripFor(e.wait)
	permit.Record(e.outcome, e.cause) // only the first settlement counts
}
