package servicer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// notedOf evaluates checks and services at noon + after and tracks the report.
func notedOf(h *history, after time.Duration, services []string, checks ...*checker.Result) (*Report, []Transition) {
	e := ready(checks...)
	e.now, e.services = noon.Add(after), services
	return h.track(e)
}

func grading(name string, status checker.Status, gates ...string) *checker.Result {
	reason := checker.ReasonOK
	if !status.Serves() {
		reason = checker.ReasonError
	}
	c := result(name, status, reason, gates...)
	c.Expires = time.Time{}
	return c
}

func TestOutageOfManyNamesIsOneTransition(t *testing.T) {
	t.Parallel()
	h := newHistory(100)
	services := []string{"a.v1.A", "b.v1.B", "c.v1.C"}
	database := func(status checker.Status) *checker.Result { return grading("database", status, checker.Readiness) }
	notedOf(h, 0, nil, database(checker.Healthy))
	notedOf(h, time.Second, services, database(checker.Healthy)) // services are learned later
	var report *Report
	for i := range 20 {
		began := time.Duration(i+1) * time.Hour
		notedOf(h, began, services, database(checker.Critical))
		report, _ = notedOf(h, began+10*time.Minute, services, database(checker.Healthy))
	}
	var seen []string
	for _, tr := range slices.Backward(report.Transitions) {
		if strings.HasPrefix(tr.Subject, "name/") {
			seen = append(seen, fmt.Sprint(tr.Subject, " ", tr.To, " after ", tr.PreviousFor, " ", tr.Names))
		}
	}
	if len(seen) < 32 { // three transitions at the beginning of an outage and at its end: 100 hold sixteen outages
		t.Errorf("%d transitions of names are left: %q", len(seen), seen)
	}
	names := " [ a.v1.A b.v1.B c.v1.C database readiness]"
	if last := seen[len(seen)-2:]; !slices.Equal(last, []string{
		"name/readiness NOT_SERVING after 50m0s" + names, "name/readiness SERVING after 10m0s" + names,
	}) {
		t.Errorf("the last outage reads %q", last)
	}
	if first := &report.Transitions[0].Names[0]; first != &report.Transitions[3].Names[0] {
		t.Error("entries with the same names hold them twice")
	}
}

func TestNamesWithDifferentCausesHaveTheirOwnTransitions(t *testing.T) {
	t.Parallel()
	h := newHistory(100)
	database := func(status checker.Status) *checker.Result { return grading("database", status, checker.Readiness) }
	queue := func(status checker.Status) *checker.Result { return grading("queue", status, "a.v1.A") }
	services := []string{"a.v1.A", "b.v1.B"}
	notedOf(h, 0, services, database(checker.Healthy), queue(checker.Healthy))
	notedOf(h, 10*time.Minute, services, database(checker.Healthy), queue(checker.Critical))
	notedOf(h, 20*time.Minute, services, database(checker.Critical), queue(checker.Critical))
	notedOf(h, 30*time.Minute, services, database(checker.Critical), queue(checker.Healthy))
	_, found := notedOf(h, 40*time.Minute, services, database(checker.Healthy), queue(checker.Healthy))
	var told []string
	for _, tr := range found {
		if strings.HasPrefix(tr.Subject, "name/") {
			told = append(told, fmt.Sprint(tr.Subject, " ", tr.To, " after ", tr.PreviousFor, " ", tr.Names))
		}
	}
	want := []string{"name/readiness SERVING after 20m0s [ b.v1.B database readiness]", "name/a.v1.A SERVING after 30m0s [a.v1.A]"}
	if !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}

// TestGroupingLosesNoTransition compares the journal of a random life with what each name went through.
func TestGroupingLosesNoTransition(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		h := newHistory(1 << 20)
		services := []string{"a.v1.A", "b.v1.B", "c.v1.C"}
		was, since := map[string]string{}, map[string]time.Time{}
		var want []string
		var seq uint64
		for step := range 60 {
			var checks []*checker.Result
			for i, gate := range []string{checker.Readiness, "a.v1.A", "b.v1.B", checker.Liveness} {
				status := []checker.Status{checker.Healthy, checker.Warning, checker.Unknown, checker.Critical}[random.IntN(4)]
				checks = append(checks, grading(fmt.Sprint("check", i), status, gate))
			}
			report, found := notedOf(h, time.Duration(step)*time.Second, services[:1+min(step/10, 2)], checks...)
			var now []string
			for _, n := range report.Names {
				from, to := was[n.Name], n.Status.String()
				if from == to {
					continue
				}
				if was[n.Name] = to; from != "" {
					now = append(now, moved(step, n.Name, from, to, since[n.Name]))
					since[n.Name] = report.EvaluatedAt
				}
			}
			slices.Sort(now)
			want = append(want, now...)
			for _, tr := range found {
				if seq++; tr.Seq != seq {
					t.Fatalf("transition %d has the number %d", seq, tr.Seq)
				}
			}
		}
		got := expanded(h.transitions)
		for i := range max(len(got), len(want)) {
			if i == min(len(got), len(want)) || got[i] != want[i] {
				t.Fatalf("of %d transitions of names the journal has %d; from here on %.200q, want %.200q",
					len(want), len(got), got[i:], want[i:])
			}
		}
	}
}

// moved is the transition of one name. The time before a name was first seen is unknown.
func moved(step int, name, from, to string, since time.Time) string {
	if since.IsZero() {
		return fmt.Sprintf("%d %s %s %s", step, name, from, to)
	}
	return fmt.Sprintf("%d %s %s %s since %d", step, name, from, to, int(since.Sub(noon).Seconds()))
}

// expanded is the journal, oldest first, as if every name had an entry of its own.
func expanded(journal []Transition) (all []string) {
	since := map[string]time.Time{}
	var now []string
	for i, tr := range slices.Backward(journal) {
		for _, name := range tr.Names {
			from := since[name]
			if !from.IsZero() {
				from = tr.At.Add(-tr.PreviousFor)
			}
			now = append(now, moved(int(tr.At.Sub(noon).Seconds()), name, tr.From, tr.To, from))
			since[name] = tr.At
		}
		if i == 0 || !journal[i-1].At.Equal(tr.At) {
			slices.Sort(now)
			all, now = append(all, now...), nil
		}
	}
	return all
}

func TestTransitionsBoundTheirNames(t *testing.T) {
	t.Parallel()
	h := newHistory(5) // and so 50 names
	var services []string
	for i := range 30 {
		services = append(services, fmt.Sprintf("s%02d.v1.S", i))
	}
	var report *Report
	for i := range 4 {
		status := []checker.Status{checker.Healthy, checker.Critical}[i%2]
		report, _ = notedOf(h, time.Duration(i)*time.Second, services, grading("db", status, checker.Readiness))
	}
	names := 0
	for _, tr := range report.Transitions {
		names += len(tr.Names)
	}
	if names != 33 || len(report.Transitions) != 3 {
		t.Errorf("%d entries with %d names are left, want three with 33, for a second outage would make 66", len(report.Transitions), names)
	}
	for i := range 100 {
		services = append(services, fmt.Sprintf("t%02d.v1.T", i))
	}
	notedOf(h, time.Minute, services, grading("db", checker.Critical, checker.Readiness))
	if report, _ = notedOf(h, time.Hour, services, grading("db", checker.Healthy, checker.Readiness)); len(report.Transitions) != 1 {
		t.Errorf("%d entries are left; the newest one is kept even if it is too large", len(report.Transitions))
	}
}

// A history with a gap would show changes that follow each other and do not.
func TestNoOlderTransitionIsKeptBehindOneThatDoesNotFit(t *testing.T) {
	t.Parallel()
	h := newTracker(2) // and so 20 names
	for i, names := range []int{1, 15, 15} {
		h.record([]Transition{{Seq: uint64(i), Names: make([]string, names)}})
	}
	if len(h.transitions) != 1 || h.transitions[0].Seq != 2 {
		t.Errorf("kept %+v, want the newest alone", h.transitions)
	}
}

func TestHalfOpenProbesAreOneOutage(t *testing.T) {
	t.Parallel()
	h := newHistory(100)
	database := lasting(result("database", checker.Healthy, checker.ReasonOK))
	var all []string
	see := func(i int, state breaker.State, opened uint64) {
		_, seen := noted(h, time.Duration(i)*time.Second, database,
			breaker.Snapshot{Name: "b", State: state, Transitions: map[breaker.State]uint64{breaker.Open: opened}})
		for _, s := range seen {
			if strings.HasPrefix(s, "breaker/") {
				all = append(all, s)
			}
		}
	}
	see(0, breaker.Closed, 0)
	for i := range 10 {
		see(1+2*i, breaker.Open, uint64(1+i))
		see(2+2*i, breaker.HalfOpen, uint64(1+i))
	}
	see(21, breaker.Closed, 10)
	see(22, breaker.HalfOpen, 11) // not seen while it was open
	see(23, breaker.Closed, 12)   // a trial that failed, and one that did not
	see(24, breaker.Closed, 13)   // an outage between two looks
	want := []string{
		"breaker/b closed→open circuit_open 1s", "breaker/b open→closed ok 20s",
		"breaker/b closed→open circuit_open 1s", "breaker/b open→closed ok 1s",
		"breaker/b closed→open circuit_open 1s", "breaker/b open→closed ok 0s",
	}
	if !slices.Equal(all, want) {
		t.Errorf("seen %q, want %q", all, want)
	}
}
