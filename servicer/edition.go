package servicer

import (
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/interceptor"
)

// rejudge applies change to what mu guards, if it is not nil, judges, and publishes what is new. It returns when the
// verdict has to be looked at again although nothing happens; zero means never.
func (s *Server) rejudge(change func()) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if change != nil {
		change()
	}
	// A mistake of ours must not end the loop: the last edition stands, and its age shows.
	defer func() {
		if cause := recover(); cause != nil {
			s.jot(line{slog.LevelError, "the report could not be judged", []slog.Attr{
				slog.Any("panic", cause), slog.String("stack", string(debug.Stack())),
			}})
			next = time.Now().Add(tick)
		}
	}()
	e := s.evidence(time.Now())
	return soonest(e.deadline(), s.publish(s.rules.judge(e)))
}

// evidence gathers what there is to judge at t.
func (s *Server) evidence(t time.Time) *evidence {
	s.maintenance = inForce(s.maintenance, t)
	expiry, again := s.standstill.asOf(t, &s.heard)
	e := &evidence{
		at:          t.UTC(),
		expiry:      expiry,
		again:       again,
		started:     s.startup.observe(s.heard.checks),
		silence:     s.silence,
		shut:        s.shut,
		testimony:   s.heard,
		services:    s.services,
		words:       s.words(),
		maintenance: s.maintenance,
		streams:     s.watchStreams(),
	}
	switch {
	case s.ending >= Draining:
		e.phase = s.ending
	case e.started:
		e.phase = Ready
	}
	return e
}

// words are what the application has said about names, by SetServingStatus.
func (s *Server) words() map[string]healthpb.HealthCheckResponse_ServingStatus {
	words := make(map[string]healthpb.HealthCheckResponse_ServingStatus)
	for name := range s.board.All() {
		if word, given := s.word(name); given {
			words[name] = word
		}
	}
	return words
}

// publish makes r the newest edition if it says anything new. Numbers alone wait until the last edition is old enough;
// the time when it will be is returned then.
func (s *Server) publish(r *Report) (due time.Time) {
	old := s.reports.Load()
	transitions := s.history.note(r)
	switch {
	case old.Revision == 0 || len(transitions) > 0 || !sameVerdict(old, r):
	case sameNumbers(old, r):
		return time.Time{}
	case r.EvaluatedAt.Sub(old.EvaluatedAt) < s.cfg.MinPublishInterval:
		return old.EvaluatedAt.Add(s.cfg.MinPublishInterval)
	}
	r.Revision = old.Revision + 1
	r.messages = newMessages(r)
	s.reports.Store(r)
	s.tellHealth(r)
	if old.Revision > 0 {
		s.jot(explain(transitions, old, r)...)
	}
	return time.Time{}
}

// tellHealth hands the judged names to the health server, if any of them has changed.
func (s *Server) tellHealth(r *Report) {
	names := make(map[string]healthpb.HealthCheckResponse_ServingStatus, len(r.Names))
	for i := range r.Names {
		names[r.Names[i].Name] = r.Names[i].judged
	}
	if !maps.Equal(names, s.published) {
		s.published = names
		s.healthServer.publish(names)
	}
}

// sameVerdict reports whether two editions judge alike, whatever their numbers.
func sameVerdict(a, b *Report) bool {
	return a.Phase == b.Phase && a.Startup == b.Startup && a.Overall == b.Overall &&
		slices.Equal(a.Maintenance, b.Maintenance) &&
		slices.EqualFunc(a.Metrics, b.Metrics, func(a, b Metric) bool {
			return a.Name == b.Name && a.Status == b.Status && a.Reason == b.Reason
		}) &&
		slices.EqualFunc(a.Breakers, b.Breakers, func(a, b breaker.Snapshot) bool {
			return a.Name == b.Name && a.State == b.State
		}) &&
		slices.EqualFunc(a.Names, b.Names, func(a, b ServingName) bool {
			return a.Name == b.Name && a.Status == b.Status && a.judged == b.judged && sameCauses(a.Causes, b.Causes)
		})
}

func sameCauses(a, b []Cause) bool {
	return slices.EqualFunc(a, b, func(a, b Cause) bool { return a.Check == b.Check && a.Reason == b.Reason })
}

// sameNumbers reports whether two editions with the same verdict also agree in everything else that anybody sees.
// When a metric was last read does not count: that alone makes no news.
func sameNumbers(a, b *Report) bool {
	return a.WatchStreams == b.WatchStreams &&
		slices.Equal(a.Checks, b.Checks) &&
		slices.EqualFunc(a.Breakers, b.Breakers, sameCalls) &&
		sameRequests(a.Requests, b.Requests) &&
		slices.EqualFunc(a.Metrics, b.Metrics, func(a, b Metric) bool {
			return a.Value == b.Value && a.Message == b.Message
		})
}

func sameCalls(a, b breaker.Snapshot) bool {
	return a.Calls == b.Calls && a.Window == b.Window && maps.Equal(a.Transitions, b.Transitions) && a.RetryAt.Equal(b.RetryAt)
}

// sameRequests does not compare the windows' spans: time passes, but that is no news.
func sameRequests(a, b *interceptor.Snapshot) bool {
	if a == nil || b == nil {
		return a == b
	}
	before, now := a.Window, b.Window
	before.Span, now.Span = 0, 0
	return before == now && a.Total.Started == b.Total.Started && a.Total.Handled == b.Total.Handled &&
		a.Total.MsgReceived == b.Total.MsgReceived && a.Total.MsgSent == b.Total.MsgSent
}
