package servicer

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// metricContradiction is the metric of checks and calls that say the opposite of each other.
const metricContradiction = "contradiction"

// contradictionAfter is how long checks and calls must contradict each other, and how long a server may serve without a call,
// until that is reported.
const contradictionAfter = time.Minute

// contradiction is what checks and calls say of each other. Its zero value is none.
type contradiction struct {
	value string // calls_fail or calls_succeed
	text  string // public
	since time.Time
}

// holds reports whether it is to be reported.
func (c *contradiction) holds(now time.Time) bool {
	return c.value != "" && now.Sub(c.since) >= contradictionAfter
}

// observeContradiction compares required dependencies with the calls of the window.
func (s *Server) observeContradiction(in *inputs) {
	before := in.contradiction
	now := contradict(in, &s.cfg.Requests)
	now.since = in.now
	if now.value == before.value {
		now.since = before.since
	}
	in.contradiction = now
	if now.holds(in.now) && !s.contradicted {
		s.log.Log(slog.LevelWarn, "checks and calls contradict each other", slog.String("text", now.text))
	}
	s.contradicted = now.holds(in.now)
}

// contradict returns the contradiction of one moment, without its time.
func contradict(in *inputs, policy *RequestPolicy) contradiction {
	if in.phase != Ready || in.requests == nil || in.state != evaluating {
		return contradiction{}
	}
	w := &in.requests.Window
	if w.Requests == 0 || w.Requests < uint64(policy.MinSample) {
		return contradiction{}
	}
	var passing, failing []string
	for _, c := range in.checks {
		switch {
		case c.Optional || c.Kind != checker.Dependency:
		case c.Status == checker.Critical:
			failing = append(failing, c.Name)
		case c.Status == checker.Healthy:
			passing = append(passing, c.Name)
		default:
			return contradiction{}
		}
	}
	failures := min(w.Failures, w.Requests)
	switch {
	case len(failing) > 0 && failures*50 <= w.Requests:
		return contradiction{value: "calls_succeed", text: fmt.Sprintf(
			"Checks fail (%s), but %d of %d calls succeed: wrong checks, or dependencies that are not required",
			someOf(failing), w.Requests-failures, w.Requests)}
	case len(failing) == 0 && len(passing) > 0 && failures*2 > w.Requests:
		return contradiction{value: "calls_fail", text: fmt.Sprintf(
			"Checks pass (%s), but %d of %d calls fail: a check is missing, or checks too little",
			someOf(passing), failures, w.Requests)}
	}
	return contradiction{}
}

// someOf lists a few names.
func someOf(names []string) string {
	const most = 5
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}

// contradictionMetric is absent without a contradiction.
func contradictionMetric(in *inputs) (Metric, bool) {
	c := &in.contradiction
	return Metric{
		Name: metricContradiction, Kind: kindEvaluation, Value: c.value, Status: checker.Warning, Reason: checker.ReasonThreshold,
		Message: c.text, Updated: in.now,
	}, c.holds(in.now)
}

// observeUnused logs once that the server has served for a while and received no call, as with a selector that is wrong. It
// returns when to look again, zero for never.
func (s *Server) observeUnused(in *inputs) (next time.Time) {
	if s.unusedOver || in.requests == nil {
		return time.Time{}
	}
	status, _ := s.statuses.Lookup("")
	switch {
	case in.requests.Total.Started > 0:
		s.unusedOver = true
	case in.phase != Ready || status != serving:
		s.unusedSince = time.Time{}
	case s.unusedSince.IsZero():
		s.unusedSince = in.now
		s.wakeRun() // this may be the evaluation of a manual status
	case in.now.Sub(s.unusedSince) >= contradictionAfter:
		s.log.Log(slog.LevelInfo, "server is ready, but has received no call", slog.Time("since", s.unusedSince))
		s.unusedOver = true
	}
	if s.unusedOver || s.unusedSince.IsZero() {
		return time.Time{}
	}
	return s.unusedSince.Add(contradictionAfter)
}
