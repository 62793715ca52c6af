package servicer

import (
	"log/slog"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/errtext"
)

// An evaluation that panicked is retried after retryAfterPanic and logged once per panicReminder.
const (
	retryAfterPanic = time.Second
	panicReminder   = time.Minute
)

// update applies change to the inputs, evaluates them and publishes what is new: statuses first, then the report. It
// returns when it has to be called again if nothing changes before, zero for never.
func (s *Server) update(change func(*inputs)) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if change != nil {
		if len(s.in.setNames) > 0 { // what Watch has sent becomes a transition, even if change undoes it
			s.evaluate()
		}
		change(&s.in)
	}
	return s.evaluate()
}

// evaluate is update without a change. It is called under mu.
func (s *Server) evaluate() (next time.Time) {
	// A panic must not end the process: readers keep the last report.
	defer func() {
		if cause := recover(); cause != nil {
			s.logPanic(cause)
			next = time.Now().Add(retryAfterPanic)
		}
	}()
	in := &s.in
	in.now = time.Now()
	in.currentPhase()
	s.endOverride(in)
	s.endMaintenance(in)
	in.watches, in.rejected = s.watches.Len(), s.rejected.Load()
	s.readProbers(in)
	s.observeContradiction(in)
	e := s.evaluator.evaluate(in)
	due := s.publishReport(s.evaluator.report(in, e, s.publishNames(e)))
	in.setNames, in.distinctNames, s.namesOutdated = nil, 0, false
	s.panicked, s.evaluated = time.Time{}, time.Now()
	s.pause = max(pauseAfter(s.evaluated.Sub(in.now)), s.pause/2) // a short evaluation may follow a long one
	return soonest(soonest(in.next(), s.probers.due), soonest(due, s.observeUnused(in)))
}

// logPanic logs the panic of an evaluation, at most once per panicReminder.
func (s *Server) logPanic(cause any) {
	if now := time.Now(); s.panicked.IsZero() || now.Sub(s.panicked) >= panicReminder {
		s.panicked = now
		s.log.Log(slog.LevelError, "health evaluation panicked",
			slog.String("panic", errtext.Panic(cause)), slog.String("stack", string(debug.Stack())))
	}
}

// publishNames evaluates the names that e or a manual status has changed, publishes their statuses and returns all names,
// sorted: those of the last report if nothing has changed that concerns them.
func (s *Server) publishNames(e *evaluation) []ServingName {
	var last []ServingName
	if old := s.publication.report.Load(); old != nil {
		last = old.Names
	}
	in, previous := &s.in, s.current
	s.current = e
	if !s.namesOutdated && previous != nil && reflect.DeepEqual(previous.gates, e.gates) {
		// The statuses of names that were set are published.
		return e.updateNames(in.manual, sortedSet(in.setNames), last, in.setAt)
	}
	s.namesOutdated = true // until this evaluation has succeeded
	s.publication.outdate()
	names := e.names(in.manual, s.evaluator.knownNames(in), last, in.now)
	for i := range names {
		s.statuses.Set(names[i].Name, names[i].Status)
	}
	for i, known := 0, names; i < len(last); i++ {
		for len(known) > 0 && known[0].Name < last[i].Name {
			known = known[1:]
		}
		if len(known) == 0 || known[0].Name != last[i].Name {
			s.statuses.Delete(last[i].Name)
		}
	}
	return names
}

// publishReport makes r the newest report if it differs from the last. A report that differs in numbers only waits until
// the last is Config.MinPublishInterval old; the time when it will be is returned then.
func (s *Server) publishReport(r *Report) (due time.Time) {
	old := s.publication.report.Load()
	transitions := s.tracker.track(old, r)
	switch {
	case old == nil || s.publication.outdated.Load() || len(transitions) > 0 || !sameStatuses(old, r):
	case sameNumbers(old, r):
		return time.Time{}
	case r.EvaluatedAt.Sub(old.EvaluatedAt) < s.cfg.MinPublishInterval:
		return old.EvaluatedAt.Add(s.cfg.MinPublishInterval)
	}
	r.Revision = 1
	if old != nil {
		r.Revision = old.Revision + 1
	}
	r.messages = newMessages(r)
	s.publication.store(r)
	s.publication.notify()
	if old != nil {
		s.logChanges(transitions, old, r)
	}
	return time.Time{}
}

// sameStatuses reports whether two reports agree in every status, whatever their numbers. A change of maintenance is
// published as one of the names' causes.
func sameStatuses(a, b *Report) bool {
	return a.Phase == b.Phase && a.StartupComplete == b.StartupComplete && a.Standby == b.Standby && a.Overall == b.Overall &&
		sameProbers(a.Probers, b.Probers) &&
		slices.EqualFunc(a.Metrics, b.Metrics, func(a, b Metric) bool {
			return a.Name == b.Name && a.Status == b.Status && a.Reason == b.Reason
		}) &&
		slices.EqualFunc(a.Breakers, b.Breakers, func(a, b breaker.Snapshot) bool {
			return a.Name == b.Name && a.State == b.State
		}) &&
		slices.EqualFunc(a.Names, b.Names, func(a, b ServingName) bool {
			return a.Name == b.Name && a.Status == b.Status && sameCauses(a.Causes, b.Causes)
		})
}

func sameCauses(a, b []Cause) bool {
	return slices.EqualFunc(a, b, func(a, b Cause) bool { return a.Check == b.Check && a.Reason == b.Reason })
}

// sameNumbers reports whether two reports with the same statuses agree in everything else that readers see. When a metric
// was last updated does not count.
func sameNumbers(a, b *Report) bool {
	return a.WatchStreams == b.WatchStreams && slices.Equal(a.Probers, b.Probers) &&
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

// sameRequests does not compare the spans of the windows: time passes in any case.
func sameRequests(a, b *interceptor.Snapshot) bool {
	if a == nil || b == nil {
		return a == b
	}
	before, now := a.Window, b.Window
	before.Span, now.Span = 0, 0
	return before == now && a.Total.Started == b.Total.Started && a.Total.Handled == b.Total.Handled &&
		a.Total.MsgReceived == b.Total.MsgReceived && a.Total.MsgSent == b.Total.MsgSent
}

// setManual gives name a manual status.
func (s *Server) setManual(name string, status servingStatus) {
	if s.in.manual == nil {
		s.in.manual = make(map[string]servingStatus)
	}
	s.in.manual[name] = status
	if name == checker.Readiness {
		name = manualName(name)
		s.in.manual[name] = status
	}
	s.publishManual(name)
}

// publishManual publishes the name of a manual status that was set or removed: nothing but that name is evaluated. The
// report follows when it is read.
func (s *Server) publishManual(name string) {
	if !s.notifying || s.evaluated.After(s.in.setAt) { // otherwise within maxWakePause of it
		s.in.setAt = time.Now()
	}
	s.publication.outdate()
	s.publishName(name)
	if name == "" {
		s.publishName(checker.Readiness)
	}
	s.notifyManual()
}

// notifyManual notifies those that wait for a report. With thousands of names an evaluation for each status that is set
// would cost far more than to set it, so the next notification comes wakePause times as long after it as one took.
func (s *Server) notifyManual() {
	wait := s.evaluated.Sub(s.in.setAt) + s.pause
	switch {
	case wait <= 0:
		s.publication.notify()
	case s.notifying:
		return
	case s.notifier == nil:
		s.notifier = time.AfterFunc(wait, s.notifyNow)
	default:
		s.notifier.Reset(wait)
	}
	s.notifying = wait > 0
}

func (s *Server) notifyNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notifying = false
	s.publication.notify()
}

// publishName evaluates and publishes one name.
func (s *Server) publishName(name string) {
	if len(s.in.setNames) > 2*(max(len(s.in.manual), s.in.distinctNames)+8) { // some may be set again and again, while no report is read
		s.in.setNames = sortedSet(s.in.setNames)
		s.in.distinctNames = len(s.in.setNames)
	}
	s.in.setNames = append(s.in.setNames, name)
	if !s.current.gates.knows(s.in.manual, name) {
		s.statuses.Delete(name)
		return
	}
	n := s.current.name(s.in.manual, name)
	s.statuses.Set(name, n.Status)
}
