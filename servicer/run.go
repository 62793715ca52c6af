package servicer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/usercode"
)

// wakePause times the duration of the last evaluation is the pause before the next, so that evaluations take at most a
// twentieth of a CPU.
const wakePause = 19

// maxWakePause bounds the pause: an evaluation takes long when a source is slow or the process is suspended.
const maxWakePause = 100 * time.Millisecond

func pauseAfter(took time.Duration) time.Duration { return min(wakePause*took, maxWakePause) }

var errRunning = errors.New("servicer: Run or Serve is running already")

// Run evaluates until ctx is done: at once when a check, a breaker, maintenance or a manual status changes, and every
// second while there are calls or were some within the recorder's window. It returns nil when all its goroutines have
// ended, and an error if it is running already. It may be called again.
//
// After Run has returned, every name that its sources could affect, except liveness, is NOT_SERVING. Once a
// breaker.SnapshotSource has blocked for 10 s, every name but startup is NOT_SERVING, liveness too, until it returns.
// If it still blocks 10 s after ctx is done, Run returns an error that names it and leaves a goroutine behind; until
// that ends Run cannot be called again.
func (s *Server) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return errRunning
	}
	if len(s.sources.breakers) == 0 && s.override.path == "" { // no source can block
		s.run(ctx)
		return s.flushLog()
	}
	done := async(func() { s.run(ctx) })
	<-ctx.Done()
	timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), stallTimeout)
	defer cancel()
	if wait(timeout, done) {
		return s.flushLog()
	}
	s.update(s.end)
	source := s.blockingName()
	s.log.Log(slog.LevelError, "health evaluation did not stop: source blocks",
		slog.String("source", source), slog.Duration("since", stallTimeout))
	s.log.Flush(stopGrace)
	return fmt.Errorf("servicer: did not stop within %v: source %s blocks", stallTimeout, source)
}

// flushLog waits until the log handler has taken all records.
func (s *Server) flushLog() error {
	if !s.log.Flush(stallTimeout) {
		return fmt.Errorf("servicer: log handler blocked for %v, records are lost", stallTimeout)
	}
	return nil
}

func (s *Server) run(ctx context.Context) {
	var followers sync.WaitGroup
	defer func() {
		followers.Wait()
		s.update(s.end)
		s.running.Store(false)
	}()
	defer s.followGates()()
	if s.override.path != "" {
		followers.Go(func() { s.followOverride(ctx) })
	}
	for _, source := range s.sources.breakers {
		followers.Go(func() { s.follow(ctx, source) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		changed := s.sources.changed()
		began := time.Now()
		next := s.evaluateSources(ctx)
		s.await(ctx, timer, next, changed, max(pauseAfter(time.Since(began)), s.publishPause()))
	}
}

// publishPause is the pause after the last evaluations.
func (s *Server) publishPause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pause
}

// await returns when the sources have to be read again: at next, unless that is zero, after a change, or when ctx is done.
func (s *Server) await(ctx context.Context, timer *time.Timer, next time.Time, changed <-chan struct{}, pause time.Duration) {
	read, called := s.sources.requests.next()
	next = soonest(next, read)
	for {
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-called:
			next, called = soonest(next, time.Now().Add(requestInterval)), nil
			continue
		case <-changed:
			changed = s.sources.changed()
			if due := s.numbersDue(); !due.IsZero() {
				next = soonest(next, due)
				continue
			}
		case <-s.wake:
			// Readers see a manual status at once. Logging thousands of them one after the other must not cost an evaluation
			// of all names each.
			rest, cancel := context.WithTimeout(ctx, pause)
			select {
			case <-changed:
			case <-rest.Done():
			}
			cancel()
		case <-timer.C:
		case <-ctx.Done():
		}
		return
	}
}

// numbersDue returns when the results of checks are evaluated if they differ from the last in numbers only, zero for now.
func (s *Server) numbersDue() time.Time {
	due := s.publication.report.Load().EvaluatedAt.Add(s.cfg.MinPublishInterval)
	if due.After(time.Now()) && sameResults(s.sources.checks, s.sources.checker.Snapshot().Results) {
		return due
	}
	return time.Time{}
}

// sameResults reports whether results agree in all that statuses depend on.
func sameResults(a, b []*checker.Result) bool {
	return slices.EqualFunc(a, b, func(a, b *checker.Result) bool {
		return a == b || a.Name == b.Name && a.Status == b.Status && a.Reason == b.Reason && a.Optional == b.Optional &&
			a.LastSuccess.IsZero() == b.LastSuccess.IsZero() && slices.Equal(a.Gates, b.Gates)
	})
}

// evaluateSources reads all sources once, evaluates, and returns when to do so again, zero for not before a change.
func (s *Server) evaluateSources(ctx context.Context) (next time.Time) {
	s.stall.start(len(s.sources.breakers) > 0, func() { s.reportStall() })
	read := s.sources.read()
	s.stall.stop()
	next = s.update(func(in *inputs) {
		if ctx.Err() == nil { // otherwise Run may have returned already
			s.accept(in, read)
		}
	})
	return next
}

// follow wakes Run at each transition of a breaker of source. The channel is fetched before Run reads the source, so no
// transition is missed.
func (s *Server) follow(ctx context.Context, source breaker.SnapshotSource) {
	for {
		changed, err := usercode.Call(source.Changed)
		if err != nil {
			s.log.Log(slog.LevelError, "breaker source panicked: its changes no longer trigger an evaluation",
				slog.String("error", err.Error()))
			return
		}
		s.wakeRun()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// wakeRun makes a running Run evaluate soon.
func (s *Server) wakeRun() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end is a change for update: sources are no longer read.
func (s *Server) end(in *inputs) {
	if s.sources.any() {
		in.state = ended
	}
}
