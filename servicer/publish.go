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
	"github.com/vitals-go/vitals/interceptor"
)

// retryAfterPanic is when an evaluation that panicked is tried again.
const retryAfterPanic = time.Second

// update applies change to the inputs, evaluates them and publishes what is new: statuses first, then the report. It
// returns when it has to be called again although nothing happens, zero for never.
func (s *Server) update(change func(*inputs)) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if change != nil {
		change(&s.in)
	}
	// A bug of ours must not end the process: the last report stands, and its age shows.
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Log(slog.LevelError, "health evaluation panicked",
				slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
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
	return soonest(in.next(), s.publishReport(s.evaluator.report(in, e, names)))
}

// evaluateNames returns the names of e, sorted: those of the last report if nothing has changed that concerns them.
func (s *Server) evaluateNames(e *evaluation) []ServingName {
	var last []ServingName
	if old := s.publication.report.Load(); old != nil {
		last = old.Names
	}
	known := s.evaluator.knownNames(&s.in)
	same := s.current != nil && len(known) == len(last) && len(s.dirty) == 0 && reflect.DeepEqual(s.current.gates, e.gates) &&
		slices.EqualFunc(known, last, func(name string, n ServingName) bool { return name == n.Name })
	s.current = e
	clear(s.dirty)
	if same {
		return last
	}
	return e.names(&s.in, known, last)
}

// publishStatuses makes names what Check, Watch and List return.
func (s *Server) publishStatuses(names []ServingName) {
	old := s.publication.report.Load()
	if old != nil && len(old.Names) > 0 && len(names) > 0 && &old.Names[0] == &names[0] {
		return
	}
	s.publication.outdate()
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
	return a.Phase == b.Phase && a.Startup == b.Startup && a.Overall == b.Overall &&
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
	s.in.manual[manualName(name)] = status
	for _, name := range manualNames(name) {
		s.dirty[name] = struct{}{}
	}
	s.publication.outdate()
	for _, name := range manualNames(name) {
		n := s.current.name(s.in.manual, name)
		s.statuses.Set(name, n.Status)
	}
	s.publication.notify()
}

// manualNames returns the names that the manual status of name concerns.
func manualNames(name string) []string {
	if manualName(name) == "" {
		return []string{"", "readiness"}
	}
	return []string{name}
}
