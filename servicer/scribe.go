package servicer

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
)

// errorPatience is how long an error may take to say what it is.
const errorPatience = 500 * time.Millisecond

// scribe writes down once what the witnesses' errors say, so that neither the judge nor who reads a report asks them. What
// errors do when they are asked is not ours: one may wait for a lock that its driver never gives back. Whoever hears the
// witnesses owns the scribe.
type scribe struct {
	// waiting is set while an error is being asked. One that never answers costs a goroutine, and others do not wait.
	waiting atomic.Bool
	// results and failures are what has been written down of what was heard last.
	results  map[*checker.Result]*checker.Result
	failures []*errtext.Quote
}

// checks returns results, which belong to the checker, with quotes in the place of errors.
func (s *scribe) checks(results []*checker.Result) []*checker.Result {
	var written map[*checker.Result]*checker.Result
	quoted := results
	for i, r := range results {
		if r.Err == nil {
			continue
		}
		if written == nil {
			written = make(map[*checker.Result]*checker.Result)
			quoted = append([]*checker.Result(nil), results...)
		}
		if written[r] = s.results[r]; written[r] == nil {
			copied := *r
			copied.Err = s.quote(r.Err)
			written[r] = &copied
		}
		quoted[i] = written[r]
	}
	s.results = written
	return quoted
}

// breakers puts quotes in the place of the errors of snapshots, which are ours.
func (s *scribe) breakers(snapshots []breaker.Snapshot) {
	before := s.failures
	s.failures = make([]*errtext.Quote, len(snapshots))
	for i := range snapshots {
		failure := snapshots[i].LastFailure
		if failure == nil {
			continue
		}
		if i < len(before) && before[i] != nil && identical(before[i].Cause, failure) {
			s.failures[i] = before[i]
		} else {
			s.failures[i] = s.quote(failure)
		}
		snapshots[i].LastFailure = s.failures[i]
	}
}

// identical reports whether a and b are one error. Some cannot be compared.
func identical(a, b error) bool {
	equal, _ := guarded(func() bool { return a == b }) //nolint:errorlint // Identity is meant.
	return equal
}

// quote asks err what it says.
func (s *scribe) quote(err error) *errtext.Quote {
	silent := &errtext.Quote{Text: fmt.Sprintf("an error of type %T, which does not say what it is", err), Cause: err}
	if !s.waiting.CompareAndSwap(false, true) {
		return silent
	}
	said := make(chan *errtext.Quote, 1)
	go func() { // Nobody can wait for it: it may never end.
		answer := silent
		defer func() {
			s.waiting.Store(false)
			said <- answer
		}()
		answer = &errtext.Quote{Text: errtext.Of(err), Cause: err}
	}()
	patience := time.NewTimer(errorPatience)
	defer patience.Stop()
	select {
	case answer := <-said:
		return answer
	case <-patience.C:
		return silent
	}
}
