package redisbreaker

import (
	"context"
	"sync"

	"github.com/vitals-go/vitals/breaker"
)

// Limiter is a go-redis Limiter. Create it with New; one Limiter serves one client.
type Limiter struct {
	cfg Config

	// mu guards what follows. It is held while the breaker is asked, never while foreign code runs.
	mu   sync.Mutex
	open []*admission // not yet reported, the newest last
	free []*admission // for reuse
	// probe is the context of the half-open probe under way, nil without one; seats is how many more admissions may
	// pass as part of it, and lender the admission that holds the probe, nil if a check does.
	probe  context.Context
	seats  int
	lender *admission
}

type admission struct {
	permit breaker.Permit
	// handshake admissions were made while another one held the probe. They may fail it, but that they succeed does
	// not show that commands do.
	handshake bool
}

const (
	// seatsPerProbe is what a new connection asks for, with room to spare: HELLO or AUTH and SELECT, CLIENT SETINFO,
	// maintenance notifications, and the command itself.
	seatsPerProbe = 8
	// maxOpen bounds what a client that does not report can make a Limiter keep.
	maxOpen = 1 << 14
)

// Allow is called by the client before it takes a connection. It returns nil or a *breaker.OpenError.
func (l *Limiter) Allow() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.blank()
	a.handshake = false
	ctx := context.Background()
	if l.probe != nil && l.seats > 0 {
		ctx = l.probe
	}
	var err error
	a.permit, err = l.cfg.Breaker.Allow(ctx)
	if err != nil {
		l.free = append(l.free, a)
		return err
	}
	switch own := a.permit.Context(); {
	case !a.permit.Probe():
	case own != ctx: // It holds the probe. One that held it before and still hangs has lost it.
		l.lend(own, a)
	default:
		a.handshake = l.lender != nil || l.seats < seatsPerProbe
		l.seats--
	}
	l.open = append(l.open, a)
	return nil
}

// ReportResult is called by the client when an admitted command is over.
func (l *Limiter) ReportResult(result error) {
	a := l.newest()
	if a == nil {
		return
	}
	outcome := breaker.Failure // should Classify panic
	defer func() {
		if a.handshake && outcome == breaker.Success {
			outcome = breaker.Neutral
		}
		a.permit.Record(outcome, result)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.free = append(l.free, a)
	}()
	outcome = l.cfg.Classify(result)
}

// Check wraps a health check that uses this client, as breaker.Breaker.Check does. It must be used instead of that: a
// Limiter is not told contexts, and would turn the check away by its own probe.
func (l *Limiter) Check(fn func(context.Context) error) func(context.Context) error {
	return l.cfg.Breaker.Check(func(ctx context.Context) error {
		l.mu.Lock()
		// The result of a command that takes the check's seat counts even when the check has gone.
		l.lend(context.WithoutCancel(ctx), nil)
		l.mu.Unlock()
		defer l.endLoan(nil)
		return fn(ctx)
	})
}

// lend lets a few more admissions pass as part of a probe. The caller holds mu.
func (l *Limiter) lend(probe context.Context, lender *admission) {
	l.probe, l.seats, l.lender = probe, seatsPerProbe, lender
}

// endLoan ends what lender has lent.
func (l *Limiter) endLoan(lender *admission) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lender == lender {
		l.probe, l.lender = nil, nil
	}
}

// newest takes back the latest admission that is still open, and ends its loan.
func (l *Limiter) newest() *admission {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.open) - 1
	if last < 0 {
		return nil
	}
	a := l.open[last]
	l.open = l.open[:last]
	if l.lender == a {
		l.probe, l.lender = nil, nil
	}
	return a
}

// blank returns an admission to be filled in; the oldest open one if the client has forgotten to report that many.
// The caller holds mu.
func (l *Limiter) blank() *admission {
	if last := len(l.free) - 1; last >= 0 {
		a := l.free[last]
		l.free = l.free[:last]
		return a
	}
	if len(l.open) < maxOpen {
		return &admission{}
	}
	a := l.open[0]
	l.open = l.open[1:]
	return a
}
