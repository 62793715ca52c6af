package redisbreaker

import (
	"context"
	"sync"

	"github.com/vitals-go/vitals/breaker"
)

// Limiter is a go-redis Limiter for one client. Create it with New.
type Limiter struct {
	cfg Config

	// mu guards the fields below. It is held around Breaker.Allow, never while code of the user runs.
	mu   sync.Mutex
	open []*command // without a result, the newest last
	// probe is the context of the half-open probe in flight, or nil. joins is how many more commands may join it, and
	// owner the command that is the probe, nil if a check is.
	probe context.Context
	joins int
	owner *command
}

// command is an allowed command or one step of a handshake.
type command struct {
	permit breaker.Permit
	// handshake commands joined the probe of another one. Their failures fail it, but their success does not pass it.
	handshake bool
}

const (
	// joinsPerProbe covers the handshake of a connection: HELLO or AUTH and SELECT, CLIENT SETINFO, maintenance
	// notifications, and the command itself.
	joinsPerProbe = 8
	// maxOpen limits the memory for a client that does not report results.
	maxOpen = 1 << 14
)

// Allow returns nil or a *breaker.OpenError. The client calls it before it takes a connection.
func (l *Limiter) Allow() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &command{}
	ctx := context.Background()
	if l.probe != nil && l.joins > 0 {
		ctx = l.probe
	}
	var err error
	c.permit, err = l.cfg.Breaker.Allow(ctx)
	if err != nil {
		return err
	}
	switch own := c.permit.Context(); {
	case !c.permit.Probe():
	case own != ctx: // a new probe; an earlier one that still blocks has timed out
		l.share(own, c)
	default:
		c.handshake = l.owner != nil || l.joins < joinsPerProbe
		l.joins--
	}
	l.open = append(l.open[max(0, len(l.open)-maxOpen+1):], c)
	return nil
}

// ReportResult records the result of an allowed command. The client calls it.
func (l *Limiter) ReportResult(result error) {
	c := l.newest()
	if c == nil {
		return
	}
	outcome := breaker.Failure // if Classify panics
	defer func() {
		if c.handshake && outcome == breaker.Success {
			outcome = breaker.Neutral
		}
		c.permit.Record(outcome, result)
	}()
	outcome = l.cfg.Classify(result)
}

// Check wraps a health check that uses this client, as breaker.Breaker.Check does. Use it instead of that: without a
// context the Limiter would reject the commands of the check's own probe.
func (l *Limiter) Check(fn func(context.Context) error) func(context.Context) error {
	return l.cfg.Breaker.Check(func(ctx context.Context) error {
		l.mu.Lock()
		// WithoutCancel: the result of a command that joined the probe counts after the end of the check too.
		l.share(context.WithoutCancel(ctx), nil)
		l.mu.Unlock()
		defer l.unshare()
		return fn(ctx)
	})
}

// share allows a few more commands to join a probe. The caller holds mu.
func (l *Limiter) share(probe context.Context, owner *command) {
	l.probe, l.joins, l.owner = probe, joinsPerProbe, owner
}

// unshare ends the probe of a check.
func (l *Limiter) unshare() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owner == nil {
		l.probe = nil
	}
}

// newest removes and returns the newest open command, or nil. No command can join its probe afterwards.
func (l *Limiter) newest() *command {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.open) - 1
	if last < 0 {
		return nil
	}
	c := l.open[last]
	l.open[last] = nil
	l.open = l.open[:last]
	if l.owner == c {
		l.probe, l.owner = nil, nil
	}
	return c
}
