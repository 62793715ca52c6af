package servicer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/internal/errtext"
)

// requestInterval is how often the recorder is read: it does not notify of calls.
const requestInterval = time.Second

// wakePause times the duration of the last evaluation is the pause before the next, so that evaluations take at most a
// tenth of a CPU.
const wakePause = 9

// maxWakePause bounds the pause: an evaluation takes long when a source is slow or the process is suspended.
const maxWakePause = 100 * time.Millisecond

func pauseAfter(took time.Duration) time.Duration { return min(wakePause*took, maxWakePause) }

var errRunning = errors.New("servicer: Run or Serve is running already")

// Run evaluates until ctx is done: at once when a check, a breaker, maintenance or a manual status changes, and every
// second for request statistics. It returns nil when all its goroutines have ended, and an error if it is running
// already. It may be called again.
//
// After Run has returned, every name that its sources could affect, except liveness, is NOT_SERVING. Once a
// breaker.SnapshotSource has blocked for 10 s, every name but startup is NOT_SERVING, liveness too, until it returns.
// If it still blocks 10 s after ctx is done, Run returns an error that names it and leaves a goroutine behind; until
// that ends Run cannot be called again.
func (s *Server) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return errRunning
	}
	if len(s.sources.breakers) == 0 { // no source can block
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
	source := s.sources.blockingName()
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
	for _, source := range s.sources.breakers {
		followers.Go(func() { s.follow(ctx, source) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := s.sources.changed()
		began := time.Now()
		next := s.evaluateSources(ctx)
		took := time.Since(began)
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-changed:
		case <-s.wake:
			// Readers see a manual status at once. Logging thousands of them one after the other must not cost an evaluation
			// of all names each.
			pause, cancel := context.WithTimeout(ctx, pauseAfter(took))
			select {
			case <-changed:
			case <-pause.Done():
			}
			cancel()
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
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
	if s.sources.recorder != nil {
		next = soonest(next, time.Now().Add(requestInterval))
	}
	return next
}

// follow wakes Run at each transition of a breaker of source. The channel is fetched before Run reads the source, so no
// transition is missed.
func (s *Server) follow(ctx context.Context, source breaker.SnapshotSource) {
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Log(slog.LevelError, "breaker source panicked: its changes no longer trigger an evaluation",
				slog.String("panic", errtext.Cut(fmt.Sprint(cause))))
		}
	}()
	for {
		changed := source.Changed()
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
