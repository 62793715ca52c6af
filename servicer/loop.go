package servicer

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/internal/errtext"
)

// tick is how often the recorder is heard: nobody announces calls.
const tick = time.Second

// Run hears the witnesses and judges until ctx ends: at once when a check, a breaker, maintenance or the application
// says something new, when evidence expires, and every second for the recorder. It returns nil when ctx has ended and
// all its goroutines are gone, and an error if it is running already. It may be run again.
//
// The last word of a judge who has gone is not believed: after Run no name that witnesses could speak about serves, but
// liveness. If a witness of the user's, a breaker.Source, does not answer for ten seconds, the judge is stuck: then no
// name serves, liveness neither, until it answers. Every door tells so at once, for what it repeats is a new edition.
//
// Nor is such a witness, or a log that hangs, waited for at the end: ten seconds after ctx has ended Run returns an error
// that says which, and leaves a goroutine with it. As long as that has not come back Run cannot be run again.
func (s *Server) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return errRunning
	}
	gone := async(func() { s.run(ctx) })
	<-ctx.Done()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	if !wait(patience, gone) {
		return s.giveUp()
	}
	if !s.log.Flush(endPatience) {
		return fmt.Errorf("servicer: log handler blocked for %v, records are lost", endPatience)
	}
	return nil
}

// run is Run for as long as it takes.
func (s *Server) run(ctx context.Context) {
	defer func() {
		s.running.Store(false)
		s.rejudge(func() { // also for what was said to a loop that had ended
			s.standstill = standstill{}
			s.fallSilent()
		})
	}()
	var wg sync.WaitGroup
	defer wg.Wait()
	if s.witnesses.any() {
		wg.Go(func() { s.guard(ctx) })
	}
	for _, source := range s.witnesses.breakers {
		wg.Go(func() { s.follow(ctx, source) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		checks, next := s.listen(ctx)
		wait := time.Duration(1<<63 - 1)
		if !next.IsZero() {
			wait = max(time.Until(next), 0)
		}
		timer.Reset(wait)
		if !s.await(ctx, checks, timer.C) {
			return
		}
	}
}

// await returns true when there is a reason to look again, and false when ctx has ended.
func (s *Server) await(ctx context.Context, checks <-chan struct{}, due <-chan time.Time) bool {
	for {
		select {
		case <-checks:
			return true
		case <-s.wakeup:
			return true
		case <-s.spoken:
			return true
		case <-due:
			return true
		case <-s.pulse: // the guard knows by now
		case <-ctx.Done():
			return false
		}
	}
}

// listen hears everybody once, judges, and returns when to do so again: when the channel is closed, or at next unless
// that is zero.
func (s *Server) listen(ctx context.Context) (checks <-chan struct{}, next time.Time) {
	s.turns.Add(1)
	heard, checks := s.witnesses.hear()
	next = s.rejudge(func() {
		if ctx.Err() == nil { // else Run may have been given up
			s.believe(heard)
			s.silence = judging
		}
	})
	if s.witnesses.recorder != nil {
		next = soonest(next, time.Now().Add(tick))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standstill.due = next
	return checks, next
}

// believe is a change: what was heard is evidence. The log is told of a witness that panics when it is asked, because
// nobody else would say why.
func (s *Server) believe(heard testimony) {
	note := func(who string, before, now error) {
		if before == nil && now != nil {
			s.jot(line{slog.LevelError, "a witness panicked when it was asked", []slog.Attr{
				slog.String("who", who), slog.String("error", errtext.Of(now)),
			}})
		}
	}
	note("breakers", s.heard.brokenBreakers, heard.brokenBreakers)
	note("recorder", s.heard.brokenRecorder, heard.brokenRecorder)
	s.heard = heard
}

// follow wakes the loop at each transition of source's breakers. The channel is fetched before the loop looks, so no
// transition falls between the two.
func (s *Server) follow(ctx context.Context, source breaker.SnapshotSource) {
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Log(slog.LevelError, "a source of breakers panicked; its transitions are only seen when something else happens",
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
func (s *Server) nudge() {
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
