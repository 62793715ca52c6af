package servicer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

func newBreaker(t testing.TB, name string) *breaker.Breaker {
	t.Helper()
	b, err := breaker.New(breaker.Config{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newGroup(t testing.TB) *breaker.Group {
	t.Helper()
	g, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "upstream", Jitter: -1}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// twins is a source whose breakers have one name.
type twins struct{ names []string }

func (s twins) Snapshots() (all []breaker.Snapshot) {
	for _, name := range s.names {
		all = append(all, breaker.Snapshot{Name: name})
	}
	return all
}

func (twins) Changed() <-chan struct{} { return nil }

func TestNewRefusesNamesThatAreNotUnique(t *testing.T) {
	group := newGroup(t)
	pass := func(context.Context) error { return nil }
	for name, test := range map[string]struct {
		cfg  servicer.Config
		want []string
	}{
		"breakers of two sources": {
			servicer.Config{Breakers: []breaker.SnapshotSource{newBreaker(t, "db"), newBreaker(t, "cache"), newBreaker(t, "db")}},
			[]string{"Breakers[0]", "Breakers[2]", `"db"`},
		},
		"breakers of one source": {
			servicer.Config{Breakers: []breaker.SnapshotSource{twins{[]string{"a", "db", "db"}}}},
			[]string{"Breakers[0]", `"db"`},
		},
		"one source twice": {
			servicer.Config{Breakers: []breaker.SnapshotSource{group, group}}, []string{"Breakers[0]", "Breakers[1]"},
		},
		"resource with the metric of a dependency": {
			servicer.Config{Checker: newChecker(t, checker.Check{Name: "x", Run: pass},
				checker.Check{Name: "dependency_x", Kind: checker.Resource, Run: pass})},
			[]string{`"dependency_x"`, `"x"`},
		},
		"process check with the metric of a breaker": {
			servicer.Config{
				Breakers: []breaker.SnapshotSource{newBreaker(t, "db")},
				Checker:  newChecker(t, checker.Check{Name: "breaker_db", Kind: checker.Process, Run: pass}),
			},
			[]string{`"breaker_db"`, `"db"`},
		},
		"process check with the metric of a service": {
			servicer.Config{
				Services: []string{"shop.v1.Orders"},
				Checker:  newChecker(t, checker.Check{Name: "request_success_rate_shop.v1.Orders", Kind: checker.Process, Run: pass}),
			},
			[]string{`"request_success_rate_shop.v1.Orders"`, `"shop.v1.Orders"`},
		},
	} {
		_, err := servicer.New(test.cfg)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not name %s", name, err, want)
			}
		}
	}
	// Sources that cannot be compared are no reason to panic, and equal prefixes are no mistake.
	if _, err := servicer.New(servicer.Config{
		Breakers: []breaker.SnapshotSource{twins{[]string{"a"}}, twins{[]string{"b"}}},
		Checker: newChecker(t, checker.Check{Name: "dependency_y", Kind: checker.Resource, Run: pass},
			checker.Check{Name: "breaker_y", Kind: checker.Process, Run: pass}, checker.Check{Name: "breaker_a", Run: pass}),
	}); err != nil {
		t.Error(err)
	}
}

// TestBreakersThatGetOneNameLaterAreReportedAsOne uses two groups that make a breaker of one name after New.
func TestBreakersThatGetOneNameLaterAreReportedAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups := [2]*breaker.Group{newGroup(t), newGroup(t)}
		s := newServer(t, servicer.Config{Breakers: []breaker.SnapshotSource{groups[0], groups[1]}})
		defer run(t, s.Run)()
		first, second := groups[0].Get("db"), groups[1].Get("db")
		call := func(b *breaker.Breaker, err error) {
			_, _ = breaker.Do(t.Context(), b, func(context.Context) (int, error) { return 0, err })
		}
		call(second, nil)
		synctest.Wait()
		s.SetServingStatus("any", serving) // evaluates: a group with a new breaker notifies nothing
		synctest.Wait()
		for range 5 {
			call(first, errors.New("down"))
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		one := func() breaker.Snapshot {
			t.Helper()
			all := s.Report().Breakers
			if len(all) != 1 {
				t.Fatalf("%d breakers, want 1", len(all))
			}
			return all[0]
		}
		b := one()
		if b.State != breaker.Open || b.Calls.Failures != 5 || b.Calls.Successes != 1 || b.Transitions[breaker.Open] != 1 ||
			b.RetryAt.IsZero() || b.Window.Failures != 5 && b.Window.Successes != 1 {
			t.Errorf("got %+v, want an open breaker with the calls of both", b)
		}
		revision, transitions := s.Report().Revision, s.Report().Transitions[0].Seq
		for i := range 50 { // wakes an evaluation each time
			s.SetServingStatus("any", servingStatus(1+i%2))
			synctest.Wait()
			s.SetServingStatus("any", serving)
			synctest.Wait()
		}
		for _, entry := range s.Report().Transitions {
			if entry.Seq > transitions && strings.HasPrefix(entry.Subject, "breaker/") {
				t.Fatalf("false transition %+v", entry)
			}
		}
		time.Sleep(time.Millisecond)
		settled := s.Report().Revision
		time.Sleep(2 * time.Second)
		if got := s.Report().Revision; got != settled || settled < revision {
			t.Errorf("%d revisions while nothing changed", got-settled)
		}
		time.Sleep(10 * time.Second) // half-open
		call(first, nil)
		synctest.Wait()
		if b := one(); b.State != breaker.Closed || b.Transitions[breaker.Open] != 1 {
			t.Errorf("got %+v, want closed", b)
		}
		var subjects []string
		for _, entry := range s.Report().Transitions {
			if strings.HasPrefix(entry.Subject, "breaker/") {
				subjects = append(subjects, fmt.Sprint(entry.Subject, " ", entry.To))
			}
		}
		if got := strings.Join(subjects, ", "); got != "breaker/upstream/db closed, breaker/upstream/db open" {
			t.Errorf("transitions: %s", got)
		}
	})
}

// TestChecksThatGetOneMetricLaterShowTheWorse adds a check at run time, when New can no longer refuse it.
func TestChecksThatGetOneMetricLaterShowTheWorse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, checker.Check{Name: "x", Jitter: -1, Run: func(context.Context) error { return nil }})
		s := newServer(t, servicer.Config{Checker: c})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		if err := c.Add(checker.Check{
			Name: "dependency_x", Kind: checker.Process, Gates: []string{checker.None}, Jitter: -1,
			Run: func(context.Context) error { return errors.New("down") },
		}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		revision := s.Report().Revision
		time.Sleep(2 * time.Second)
		r := s.Report()
		if m, _ := r.Metric("dependency_x"); len(r.Metrics) != 1 || m.Status != checker.Critical || r.Overall != checker.Critical {
			t.Errorf("metrics %+v, want the worse of two", r.Metrics)
		}
		if r.Revision != revision {
			t.Errorf("%d revisions while nothing changed", r.Revision-revision)
		}
	})
}

// TestInvalidUTF8NamesAreMadeValid uses names that a protobuf message cannot hold: List would fail as a whole.
func TestInvalidUTF8NamesAreMadeValid(t *testing.T) {
	s := newServer(t, servicer.Config{
		Services: []string{"a\xff"},
		Breakers: []breaker.SnapshotSource{twins{[]string{"b\xff"}}, twins{[]string{"c"}}},
	})
	s.SetServingStatus("a\xfe", notServing)
	if err := s.AddServices("a\xfd"); err != nil {
		t.Fatal(err)
	}
	r := s.Report()
	if n, found := r.Lookup("a\uFFFD"); !found || n.Status != notServing || len(r.Names) != 5 {
		t.Errorf("names %+v, want one that replaces the invalid ones", r.Names)
	}
	if r.Breakers[0].Name != "b\uFFFD" {
		t.Errorf("breakers %+v", r.Breakers)
	}
	list, err := s.List(t.Context(), nil)
	if err != nil || list.Statuses["a\uFFFD"].GetStatus() != notServing {
		t.Errorf("List returns %v, %v", list, err)
	}
}
