package servicer

import (
	"log/slog"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
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
		change(&s.in)
	}
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
	s.endMaintenance(in)
	in.watches = s.watches.open()
	e := s.evaluator.evaluate(in)
	names := s.evaluateNames(e)
	s.publishStatuses(names)
	due := s.publishReport(s.evaluator.report(in, e, names))
	s.panicked, s.evaluated = time.Time{}, time.Now()
	s.pause = pauseAfter(s.evaluated.Sub(in.now))
	return soonest(in.next(), due)
}

// logPanic logs the panic of an evaluation, at most once per panicReminder.
func (s *Server) logPanic(cause any) {
	if now := time.Now(); s.panicked.IsZero() || now.Sub(s.panicked) >= panicReminder {
		s.panicked = now
		s.log.Log(slog.LevelError, "health evaluation panicked",
			slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
	}
}

// evaluateNames returns the names of e, sorted: those of the last report if nothing has changed that concerns them.
func (s *Server) evaluateNames(e *evaluation) []ServingName {
	old := s.publication.report.Load()
	if old == nil {
		old = new(Report)
	}
	last, now := old.Names, s.in.now
	known := s.evaluator.knownNames(&s.in)
	same := s.current != nil && reflect.DeepEqual(s.current.gates, e.gates)
	s.current = e
	if same && !s.publication.outdated.Load() &&
		slices.EqualFunc(known, last, func(name string, n ServingName) bool { return name == n.Name }) {
		return last
	}
	if same && s.in.setAt.After(old.EvaluatedAt) { // nothing but manual statuses has changed
		now = s.in.setAt
	}
	return e.names(&s.in, now, known, last)
}

// publishStatuses makes names what Check, Watch and List return.
func (s *Server) publishStatuses(names []ServingName) {
	old := s.publication.report.Load()
	if old != nil && len(old.Names) > 0 && len(names) > 0 && &old.Names[0] == &names[0] {
		return
	}
	s.publication.outdate() // also keeps the next evaluation from taking the last report's names if this one panics
	for i := range names {
		s.statuses.Set(names[i].Name, names[i].Status)
	}
	if old == nil {
		return
	}
	for i := range old.Names {
		if _, found := findName(names, old.Names[i].Name); !found {
			s.statuses.Delete(old.Names[i].Name)
		}
	}
}

func findName(sorted []ServingName, name string) (int, bool) {
	return slices.BinarySearchFunc(sorted, name, func(n ServingName, name string) int { return strings.Compare(n.Name, name) })
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

// sameStatuses reports whether two reports agree in every status, whatever their numbers.
func sameStatuses(a, b *Report) bool {
	return a.Phase == b.Phase && a.StartupComplete == b.StartupComplete && a.Overall == b.Overall &&
		slices.Equal(a.Maintenance, b.Maintenance) &&
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

// setManual gives name a manual status: nothing but that name is evaluated. The report follows when it is read.
func (s *Server) setManual(name string, status servingStatus) {
	if s.in.manual == nil {
		s.in.manual = make(map[string]servingStatus)
	}
	s.in.manual[name] = status
	s.in.setAt = time.Now()
	s.publication.outdate()
	if manualName(name) == "" {
		s.in.manual[""] = status
		s.publishManual("")
		s.publishManual(checker.Readiness)
	} else {
		s.publishManual(name)
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

// publishManual evaluates and publishes one name.
func (s *Server) publishManual(name string) {
	n := s.current.name(s.in.manual, name)
	s.statuses.Set(name, n.Status)
}
