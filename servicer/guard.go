package servicer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/vitals-go/vitals/checker"
)

const (
	// pulseInterval is how often the guard feels the loop's pulse, and pulsesMissed how many times in a row it must
	// feel none. It counts beats instead of asking the clock: a process that was frozen, or gets no CPU, has felt for
	// none either.
	pulseInterval = time.Second
	pulsesMissed  = 10
	// endPatience is how long the end of Run waits for whoever keeps it.
	endPatience = pulsesMissed * pulseInterval
)

// silence says whether anybody judges.
type silence uint8

const (
	judging silence = iota // or there is nobody to hear
	over                   // Run has ended
	stuck                  // the loop waits for a witness who does not answer
)

// guard watches over the loop, which asks code that is not ours. While it is stuck the guard judges in its place: that
// nothing is known.
func (s *Server) guard(ctx context.Context) {
	ticker := time.NewTicker(pulseInterval)
	defer ticker.Stop()
	missed, turns := 0, s.turns.Load()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		last := turns
		turns = s.turns.Load()
		select {
		case s.pulse <- struct{}{}:
			missed = 0
			continue
		default:
		}
		if turns != last { // it was busy
			missed = 0
			continue
		}
		if missed++; missed == pulsesMissed {
			s.rejudge(s.getStuck)
		}
	}
}

// getStuck is a change that the loop takes back with its next turn.
func (s *Server) getStuck() {
	s.silence = stuck
	s.jot(line{slog.LevelError, "health is no longer judged: a witness does not answer", []slog.Attr{
		slog.Duration("since", pulsesMissed*pulseInterval),
	}})
}

// giveUp ends Run without the goroutine that keeps it, and returns an error that says who does not let that go.
func (s *Server) giveUp() error {
	s.rejudge(func() {
		s.fallSilent()
		s.jot(line{slog.LevelError, "the judge cannot be ended: somebody does not answer", []slog.Attr{
			slog.String("who", "a witness"), slog.Duration("since", endPatience),
		}})
	})
	s.log.Flush(stopGrace)
	return errors.New("servicer: the judge cannot be ended: a witness does not answer")
}

// fallSilent is a change that the next Run takes back.
func (s *Server) fallSilent() {
	if s.witnesses.any() {
		s.silence = over
	}
}

const textUnjudged = "health is no longer judged"

// cause is what keeps names from serving when nobody judges.
func (q silence) cause() []Cause {
	if q == judging {
		return nil
	}
	return []Cause{{Reason: checker.ReasonStale, Text: textUnjudged}}
}

// appendSilence adds the metric that tells that nobody judges.
func appendSilence(metrics []Metric, e *evidence) []Metric {
	if e.silence == judging || e.phase >= Draining {
		return metrics
	}
	value := "stopped"
	if e.silence == stuck {
		value = "stuck"
	}
	return append(metrics, Metric{
		Name: metricJudge, Value: value, Status: checker.Unknown, Reason: checker.ReasonStale,
		Message: "Health is no longer judged", Updated: e.at,
	})
}
