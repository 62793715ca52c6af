package breaker_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/vitals-go/vitals/breaker"
)

// unprintable is a key that cannot be a name: its breaker is the shared one.
const unprintable = "\x00"

func newGroup(t testing.TB, cfg breaker.GroupConfig) *breaker.Group {
	t.Helper()
	g, err := breaker.NewGroup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGroupLimitHoldsUnderConcurrentKeys(t *testing.T) {
	g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "hosts"}, MaxBreakers: 10})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for n := range 200 {
				call(t, g.Get(fmt.Sprint(n)), nil)
			}
		})
	}
	callers.Wait()
	all := g.Snapshots()
	if len(all) != 11 {
		t.Fatalf("%d breakers, want 10 and the shared one", len(all))
	}
	var calls uint64
	for i, s := range all {
		calls += s.Calls.Successes
		if i > 0 && all[i-1].Name >= s.Name {
			t.Fatalf("%q is sorted before %q", all[i-1].Name, s.Name)
		}
	}
	if calls != 8*200 {
		t.Fatalf("%d calls, want 1600", calls)
	}
	if g.Get(strings.Repeat("x", 300)) != g.Get(unprintable) || g.Get("new") != g.Get(unprintable) {
		t.Fatal("keys beyond the limit do not share a breaker")
	}
}

// Reports and metrics identify breakers by name.
func TestNamesInAGroupAreUnique(t *testing.T) {
	g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "methods"}})
	for _, key := range []string{"shop.Orders/Get", "/shop.Orders/Get", "//shop.Orders/Get", "", "/"} {
		g.Get(key)
	}
	all := g.Snapshots()
	for i := range all[1:] {
		if all[i].Name == all[i+1].Name {
			t.Errorf("two breakers are named %q", all[i].Name)
		}
	}
}

// Names appear at every endpoint.
func TestUnprintableNamesAreRejected(t *testing.T) {
	g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "hosts"}})
	for _, key := range []string{"two\nlines", "\xff", "\x1b[2J", "\u202e"} {
		if g.Get(key) != g.Get(unprintable) {
			t.Errorf("%q gets a breaker of its own", key)
		}
		if _, err := breaker.New(breaker.Config{Name: key}); err == nil || !strings.Contains(err.Error(), "printable") {
			t.Errorf("%q is a name: %v", key, err)
		}
	}
	if g.Get("Straße 7") == g.Get(unprintable) {
		t.Error("a printable key shares a breaker")
	}
}

func TestGroupSeparatesKeysAndNotifiesOfAnyTransition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "hosts"}})
		sick, well := g.Get("sick"), g.Get("well")
		if sick == well || sick != g.Get("sick") {
			t.Fatal("Get does not return one breaker per key")
		}
		call(t, well, nil)
		changed := g.Changed()
		trip(t, sick)
		<-changed
		wantState(t, well, breaker.Closed)
		changed = g.Changed()
		due := sick.Snapshot().RetryAt
		<-changed
		if !time.Now().Equal(due) {
			t.Fatalf("notified %v after the open time", time.Since(due))
		}
	})
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := breaker.NewGroup(breaker.GroupConfig{MaxBreakers: -1, Breaker: breaker.Config{
		ConsecutiveFailures: math.MaxInt, FailureRate: 2, MinCalls: -1, Window: -1, SlowCall: -1, SlowCallRate: -1,
		OpenTime: -1, MaxOpenTime: -2, Jitter: math.NaN(), ProbeTimeout: -1, PassiveWindow: -1,
	}})
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, field := range []string{
		"ConsecutiveFailures", "FailureRate", "MinCalls", "Window", "SlowCall", "SlowCallRate", "OpenTime",
		"MaxOpenTime", "Jitter", "ProbeTimeout", "PassiveWindow", "Limit",
	} {
		if !strings.Contains(err.Error(), field+": got") {
			t.Errorf("%s is not reported:\n%v", field, err)
		}
	}
	if _, err := breaker.New(breaker.Config{}); err == nil || err.Error() != "breaker: Name is required" {
		t.Errorf("without a name: %v", err)
	}
}

func TestUnusedBreakerIsGarbageCollected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dropped := func() weak.Pointer[breaker.Breaker] {
			b := newBreaker(t, breaker.Config{})
			for range 100 {
				call(t, b, nil)
			}
			return weak.Make(b)
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		for range 3 {
			runtime.GC()
		}
		if dropped.Value() != nil {
			t.Fatal("an unused breaker is not collected")
		}
	})
}
