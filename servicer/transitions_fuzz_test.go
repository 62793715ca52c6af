package servicer

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// FuzzTransitions plays a script of verdicts, and keeps beside the journal a list of everything that was ever found.
func FuzzTransitions(f *testing.F) {
	f.Add(uint8(5), []byte{0, 3, 7, 0x12, 0x40, 0x81, 0xff, 0, 3})
	f.Add(uint8(0), []byte{1, 2, 3})
	f.Add(uint8(200), []byte("a breaker opens and closes, a check fails for a moment, and all is well again"))
	f.Fuzz(func(t *testing.T, size uint8, script []byte) {
		h := newHistory(int(size))
		play := &playback{after: time.Second, entered: map[breaker.State]uint64{}}
		var all []Transition // oldest first
		for _, op := range script[:min(len(script), 500)] {
			e := play.next(op)
			report, found := h.track(e)
			all = append(all, found...)
			if newest := fitting(all, int(size)); !reflect.DeepEqual(newest, slices.Clip(report.Transitions)) && len(newest)+len(report.Transitions) > 0 {
				t.Fatalf("after %v the journal is\n%v\nwant\n%v", play.after, report.Transitions, newest)
			}
			mustAgree(t, report, all)
		}
		mustFollow(t, all)
	})
}

// fitting is what a journal of that size holds of all, newest first: so many entries, with ten times as many names.
func fitting(all []Transition, size int) (journal []Transition) {
	names := 0
	for _, found := range slices.Backward(all) {
		names += len(found.Names)
		if len(journal) == size || names > 10*size && len(journal) > 0 {
			break
		}
		journal = append(journal, found)
	}
	return journal
}

// playback turns bytes into evidence: the status of two checks and the state of a breaker, and what each of them has
// passed through since.
type playback struct {
	after   time.Duration
	runs    [2]checker.Runs
	entered map[breaker.State]uint64
}

func (p *playback) next(op byte) *inputs {
	p.after += time.Duration(op>>6) * time.Second // also none
	checks := make([]*checker.Result, 2)
	for i, name := range []string{"cache", "database"} {
		status := checker.Status(op >> (2 * i) & 3)
		p.runs[i].AddResults(status, 1)
		if op&0x30 == 0x30 {
			p.runs[i].AddResults(checker.Warning, 1) // between two editions
		}
		checks[i] = result(name, status, checker.ReasonError, checker.Readiness)
		checks[i].Expires, checks[i].Runs = time.Time{}, p.runs[i]
	}
	b := breaker.Snapshot{Name: "database", State: breaker.State(op >> 4 & 3 % 3)}
	if op&0x30 == 0x30 {
		b.State = breaker.Closed
		p.entered[breaker.Open]++
	}
	p.entered[b.State]++
	b.Transitions = maps.Clone(p.entered)
	e := ready(checks...)
	e.now, e.breakers = noon.Add(p.after), []breaker.Snapshot{b}
	return e
}

// each yields a transition once for each name that it moved, or once for another subject.
func each(found Transition) []string {
	if len(found.Names) == 0 {
		return []string{found.Subject}
	}
	subjects := make([]string, len(found.Names))
	for i, name := range found.Names {
		subjects[i] = "name/" + name
	}
	return subjects
}

// mustAgree compares the last transition of each subject with the report.
func mustAgree(t *testing.T, report *Report, all []Transition) {
	t.Helper()
	is := map[string]string{
		"overall": report.Overall.String(), "breaker/database": "open",
		"check/cache": report.Checks[0].Status.String(), "check/database": report.Checks[1].Status.String(),
	}
	if report.Breakers[0].State == breaker.Closed {
		is["breaker/database"] = "closed"
	}
	for _, n := range report.Names {
		is["name/"+n.Name] = n.Status.String()
	}
	last := make(map[string]string)
	for _, found := range all {
		for _, subject := range each(found) {
			last[subject] = found.To
		}
	}
	for subject, to := range last {
		if is[subject] != to {
			t.Fatalf("the journal ends %s with %q, the report says %q", subject, to, is[subject])
		}
	}
}

// mustFollow proves that the transitions of each subject are one chain without gaps in state or time.
func mustFollow(t *testing.T, all []Transition) {
	t.Helper()
	before := make(map[string]Transition)
	for i, found := range all {
		subjects := each(found)
		if !slices.IsSorted(subjects) || !slices.Contains(subjects, found.Subject) || found.Seq != uint64(i)+1 {
			t.Fatalf("%d: %+v", i, found)
		}
		for _, subject := range subjects {
			last, known := before[subject]
			switch {
			case found.From == found.To:
				t.Fatalf("%d: %+v is none", i, found)
			case i > 0 && found.At.Before(all[i-1].At):
				t.Fatalf("%d: %+v comes before the one before", i, found)
			case known && last.To != found.From:
				t.Fatalf("%d: %+v follows %+v", i, found, last)
			case found.PreviousFor < 0, known && found.PreviousFor != found.At.Sub(last.At):
				t.Fatalf("%d: %+v lasted for %v since %+v", i, found, found.PreviousFor, last)
			}
			before[subject] = found
		}
	}
}
