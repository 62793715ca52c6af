package servicer

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// noted evaluates checks and breakers at noon + after and tracks the report.
func noted(h *history, after time.Duration, checks []*checker.Result, breakers ...breaker.Snapshot) (*Report, []string) {
	e := ready(checks...)
	e.now, e.breakers = noon.Add(after), breakers
	report, found := h.track(e)
	var seen []string
	for _, t := range found {
		seen = append(seen, fmt.Sprintf("%s %s→%s %s %v", t.Subject, t.From, t.To, t.Reason, t.PreviousFor))
	}
	return report, seen
}

func lasting(c *checker.Result) []*checker.Result {
	c.Expires = time.Time{}
	return []*checker.Result{c}
}

func TestTransitionsListCausesFirst(t *testing.T) {
	t.Parallel()
	h := newHistory(100)
	healthy := lasting(result("database", checker.Healthy, checker.ReasonOK, checker.Readiness))
	failing := lasting(result("database", checker.Critical, checker.ReasonTimeout, checker.Readiness))
	if _, seen := noted(h, 0, healthy); len(seen) != 0 {
		t.Errorf("being seen for the first time is a transition: %v", seen)
	}
	if _, seen := noted(h, time.Second, healthy); len(seen) != 0 {
		t.Errorf("staying the same is a transition: %v", seen)
	}
	report, seen := noted(h, 10*time.Second, failing, breaker.Snapshot{Name: "database", State: breaker.Open})
	want := []string{
		"check/database healthy→critical timeout 10s",
		"overall healthy→critical circuit_open 10s",
		"name/readiness SERVING→NOT_SERVING timeout 10s",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("seen %q\nwant %q", seen, want)
	}
	if first, last := report.Transitions[0].Subject, report.Transitions[2].Subject; first != "name/readiness" || last != "check/database" {
		t.Errorf("the journal is not newest first: %+v", report.Transitions)
	}
	if text := report.Transitions[0].Text; text != "database: Dependency database is judged" {
		t.Errorf("text = %q", text)
	}
	if names := report.Transitions[0].Names; !slices.Equal(names, []string{"", "database", "readiness"}) {
		t.Errorf("names = %q", names)
	}
	_, seen = noted(h, 15*time.Second, healthy, breaker.Snapshot{Name: "database"})
	if !slices.Contains(seen, "check/database critical→healthy ok 5s") || !slices.Contains(seen, "breaker/database open→closed ok 5s") {
		t.Errorf("seen %q", seen)
	}
}

func TestTransitionsDropTheOldest(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 3, 7} {
		h := newHistory(size)
		var all []string
		var kept []Transition
		for i := range 20 {
			status := checker.Healthy
			if i%2 == 1 {
				status = checker.Critical
			}
			before := kept
			copied := slices.Clone(before)
			report, _ := noted(h, time.Duration(i)*time.Second, lasting(result("a", status, checker.ReasonError, orders)))
			kept = report.Transitions
			if !reflect.DeepEqual(before, copied) {
				t.Fatal("the transitions of a published report were changed")
			}
			if i > 0 {
				all = append(all, fmt.Sprint("check/a", i), fmt.Sprint("overall", i), fmt.Sprint("name/a", i))
			}
		}
		slices.Reverse(all)
		var got []string
		for _, tr := range kept {
			got = append(got, fmt.Sprint(tr.Subject, int(tr.At.Sub(noon).Seconds())))
		}
		if want := all[:size]; !slices.Equal(got, want) {
			t.Errorf("size %d: journal %v, want %v", size, got, want)
		}
	}
}

func TestTransitionsBetweenTwoReportsAreFound(t *testing.T) {
	t.Parallel()
	h := newHistory(100)
	check := func(critical uint64) []*checker.Result {
		c := result("a", checker.Healthy, checker.ReasonOK)
		c.Runs.AddResults(checker.Critical, critical)
		return lasting(c)
	}
	trip := func(state breaker.State, opened uint64) breaker.Snapshot {
		return breaker.Snapshot{Name: "b", State: state, Transitions: map[breaker.State]uint64{breaker.Open: opened}}
	}
	noted(h, 0, check(3), trip(breaker.Closed, 5))
	if _, seen := noted(h, 1, check(3), trip(breaker.Closed, 5)); len(seen) != 0 {
		t.Errorf("seen %q", seen)
	}
	_, seen := noted(h, time.Second, check(4), trip(breaker.HalfOpen, 6))
	for _, want := range []string{
		"check/a healthy→critical error 1s", "check/a critical→healthy ok 0s",
		"breaker/b closed→open circuit_open 1s",
	} {
		if !slices.Contains(seen, want) {
			t.Errorf("seen %q, missing %q", seen, want)
		}
	}
}

func TestSinceIsWhenTheStatusChanged(t *testing.T) {
	t.Parallel()
	h := newHistory(0)
	at := func(status checker.Status, reason checker.Reason, since time.Duration) []*checker.Result {
		c := result("a", status, reason)
		c.Since = noon.Add(since)
		return lasting(c)
	}
	noted(h, 0, at(checker.Critical, checker.ReasonTimeout, -time.Minute))
	report, _ := noted(h, time.Second, at(checker.Critical, checker.ReasonError, time.Second))
	if m := mustMetric(t, report, "dependency_a"); !m.Since.Equal(noon.Add(-time.Minute)) {
		t.Errorf("a new reason is a new status: %v", m.Since)
	}
	report, _ = noted(h, time.Hour, at(checker.Healthy, checker.ReasonOK, time.Minute))
	if m := mustMetric(t, report, "dependency_a"); !m.Since.Equal(noon.Add(time.Minute)) {
		t.Errorf("since %v", m.Since)
	}
}

func TestTrackerForgetsRemovedSubjects(t *testing.T) {
	t.Parallel()
	h := newHistory(10)
	noted(h, 0, nil)
	bare := len(h.states)
	for i := range 50 {
		noted(h, 0, lasting(result(fmt.Sprint(i), checker.Healthy, checker.ReasonOK)))
	}
	noted(h, 0, nil)
	if len(h.states) != bare {
		t.Errorf("%d states are left of %d", len(h.states), bare)
	}
}

// A check that is removed and added again counts from zero.
func TestCounterThatRestartsIsNoTransition(t *testing.T) {
	h := newHistory(10)
	for i, step := range []struct {
		warnings uint64
		want     int
	}{{3, 0}, {3, 0}, {0, 0}, {0, 0}, {1, 2}, {1, 0}} { // healthy each time; two transitions are one to warning and back
		c := result("db", checker.Healthy, checker.ReasonOK)
		c.Runs.AddResults(checker.Warning, step.warnings)
		if _, found := h.track(ready(c)); len(found) != step.want {
			t.Errorf("step %d with %d warnings: got %d transitions %+v, want %d", i, step.warnings, len(found), found, step.want)
		}
	}
}
