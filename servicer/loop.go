package servicer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// tick is how often the recorder is heard: nobody announces calls.
const tick = time.Second

// Run hears the witnesses and judges until ctx ends: at once when a check, a breaker, maintenance or the application
// says something new, when evidence expires, and every second for the recorder. It returns nil when ctx has ended and
// all its goroutines are gone, and an error if it is running already. It may be run again.
func (s *Servicer) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return errors.New("servicer: Run is running already")
	}
	defer func() {
		s.running.Store(false)
		s.rejudge(func() { s.standstill = standstill{} }) // for what was said to a loop that had ended
	}()
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { s.logbook(ctx) })
	for _, source := range s.witnesses.breakers {
		wg.Go(func() { s.follow(ctx, source) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		checks, next := s.listen()
		wait := time.Duration(1<<63 - 1)
		if !next.IsZero() {
			wait = max(time.Until(next), 0)
		}
		timer.Reset(wait)
		select {
		case <-checks:
		case <-s.wakeup:
		case <-s.spoken:
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// listen hears everybody once, judges, and returns when to do so again: when the channel is closed, or at next unless
// that is zero.
func (s *Servicer) listen() (checks <-chan struct{}, next time.Time) {
	heard, checks := s.witnesses.hear()
	next = s.rejudge(func() { s.heard = heard })
	if s.witnesses.recorder != nil {
		next = soonest(next, time.Now().Add(tick))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standstill.due = next
	return checks, next
}

// follow wakes the loop at each transition of source's breakers. The channel is fetched before the loop looks, so no
// transition falls between the two.
func (s *Servicer) follow(ctx context.Context, source breaker.Source) {
	defer func() {
		if cause := recover(); cause != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "a source of breakers panicked; its transitions are only seen when something else happens",
				slog.Any("panic", cause))
		}
	}()
	for {
		changed := source.Changed()
		s.nudge()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// nudge has the loop look again soon, if it runs.
func (s *Servicer) nudge() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

// soonest returns the earlier of two times, of which zero means never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
