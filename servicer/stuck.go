package servicer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

// metricStuck is the metric of calls that do not end, as in a deadlock: without it a server whose handlers all wait for one
// lock looks idle.
const metricStuck = "requests_stuck"

// textStuck is the cause of names that do not serve for it.
const textStuck = "calls do not end"

// stuckCalls finds unary calls and operations that have been in flight for long. Calls are not tracked one by one: of those
// that had started at an earlier time, at least as many are in flight as there are more than have ended until now. So what it
// finds is true, and complete where no other calls of the method end.
type stuckCalls struct {
	after time.Duration
	marks []mark // oldest first
}

// mark is what a snapshot says about calls in flight.
type mark struct {
	at      time.Time
	started map[methodName]uint64 // of methods with calls that may be in flight since then
	handled uint64                // of all methods
}

// methodName identifies a method: calls and operations to unknown names have one name.
type methodName struct {
	service, name string
	typ           interceptor.CallType
}

// stuck describes the calls that have been in flight for RequestPolicy.StuckAfter.
type stuck struct {
	calls   uint64
	longest time.Duration
	method  string // of the longest
	// silent: no call of any method has ended during StuckAfter.
	silent bool
}

// observe returns what is known about stuck calls at the time of s.
func (c *stuckCalls) observe(s *interceptor.Snapshot) (found stuck) {
	if c.after <= 0 || s == nil {
		return stuck{}
	}
	for _, m := range c.marks {
		for name := range m.started {
			if m.inFlight(name, s) == 0 {
				delete(m.started, name)
			}
		}
	}
	c.marks = slices.DeleteFunc(c.marks, func(m mark) bool { return len(m.started) == 0 })
	c.add(s)
	old := 0 // marks of at least that age
	for old < len(c.marks) && s.Time.Sub(c.marks[old].at) >= c.after {
		old++
	}
	if old == 0 {
		return stuck{}
	}
	// The oldest mark knows the longest call, the newest of the old ones their number.
	c.marks = slices.Delete(c.marks, min(1, old-1), old-1)
	first, last := c.marks[0], c.marks[min(1, old-1)]
	for name := range last.started {
		found.calls += last.inFlight(name, s)
	}
	found.longest = s.Time.Sub(first.at)
	found.silent = last.handled == s.Total.Handled
	for name := range first.started {
		if full := name.service + "/" + name.name; found.method == "" || full < found.method {
			found.method = full
		}
	}
	return found
}

// add adds a mark for s, a few within StuckAfter.
func (c *stuckCalls) add(s *interceptor.Snapshot) {
	if n := len(c.marks); s.Total.InFlight() == 0 || n > 0 && s.Time.Sub(c.marks[n-1].at) < c.after/4 {
		return
	}
	m := mark{at: s.Time, started: make(map[methodName]uint64), handled: s.Total.Handled}
	for i := range s.Methods {
		method := &s.Methods[i]
		if (method.Type == interceptor.Unary || method.Type == interceptor.Other) && method.Total.InFlight() > 0 {
			m.started[methodName{method.Service, method.Name, method.Type}] = method.Total.Started
		}
	}
	if len(m.started) > 0 {
		c.marks = append(c.marks, m)
	}
}

// inFlight returns how many calls of a method have been in flight since m, at least.
func (m *mark) inFlight(name methodName, s *interceptor.Snapshot) uint64 {
	i, found := slices.BinarySearchFunc(s.Methods, name, func(m interceptor.Method, name methodName) int {
		return cmp.Or(cmp.Compare(m.Service, name.service), cmp.Compare(m.Name, name.name))
	})
	for found && s.Methods[i].Type != name.typ { // types of one name are neighbors
		i++
		found = i < len(s.Methods) && s.Methods[i].Service == name.service && s.Methods[i].Name == name.name
	}
	if !found {
		return 0
	}
	started, handled := m.started[name], s.Methods[i].Total.Handled
	return max(started, handled) - handled
}

// metric returns the metric requests_stuck.
func (c *stuck) metric(policy *RequestPolicy, at time.Time) Metric {
	value := strconv.FormatUint(c.calls, 10)
	m := Metric{
		Name: metricStuck, Value: value, Status: checker.Healthy, Reason: checker.ReasonOK,
		Message: "No call is stuck", Updated: at, Number: float64(c.calls), Unit: "1",
	}
	if c.calls > 0 {
		m.Message = fmt.Sprintf("Calls in flight for more than %v: %s, the longest for %v in %s",
			policy.StuckAfter, value, c.longest.Truncate(time.Second), c.method)
		m.grade(c.silent && len(policy.StuckGates) > 0 && !policy.Shadow, true)
	}
	return m
}

// addStuck keeps the names of RequestPolicy.StuckGates from serving while no call ends.
func (g *gates) addStuck(c *stuck, names []string) {
	if c.calls == 0 || !c.silent {
		return
	}
	cause := Cause{Check: metricStuck, Reason: checker.ReasonThreshold, Text: textStuck}
	for _, name := range names {
		switch name {
		case "", checker.Readiness:
			g.readiness = append(g.readiness, cause)
		case checker.Liveness:
			g.liveness = append(g.liveness, cause)
		default:
			g.service[name] = append(g.service[name], cause)
		}
	}
}
