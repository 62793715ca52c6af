package breaker_test

import (
	"context"
	"crypto/sha256"
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

// Counters of its transitions must not vanish.
func TestSharedBreakerThatWasOpenRemainsInSnapshots(t *testing.T) {
	g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "hosts"}})
	if all := g.Snapshots(); len(all) != 0 {
		t.Fatalf("got %v before the first use", all)
	}
	g.Get(unprintable).ForceOpen("incident")
	g.Get(unprintable).Reset()
	if all := g.Snapshots(); len(all) != 1 || all[0].Transitions[breaker.Open] != 1 {
		t.Errorf("got %v after Reset, want the shared breaker", all)
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := breaker.NewGroup(breaker.GroupConfig{MaxBreakers: -1, Breaker: breaker.Config{
		ConsecutiveFailures: math.MaxInt, FailureRate: 2, MinCalls: -1, Window: -1, SlowCall: -1, SlowCallRate: -1,
		OpenTime: -1, MaxOpenTime: -2, Jitter: math.NaN(), MaxCallTime: -1, PassiveWindow: -1,
	}})
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, field := range []string{
		"ConsecutiveFailures", "FailureRate", "MinCalls", "Window", "SlowCall", "SlowCallRate", "OpenTime",
		"MaxOpenTime", "Jitter", "MaxCallTime", "PassiveWindow", "MaxBreakers",
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

func TestIdleBreakersMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "pods"}, MaxBreakers: 4})
		shared := g.Get(unprintable)
		old, sick, forced, checked := g.Get("old"), g.Get("sick"), g.Get("forced"), g.Get("checked")
		call(t, old, nil)
		trip(t, sick)
		forced.ForceClosed("known to be fine")
		checked.Check(func(context.Context) error { return nil })
		if g.Get("new") != shared {
			t.Fatal("a key beyond the limit does not share a breaker")
		}
		time.Sleep(time.Hour)
		if g.Get("new") != shared {
			t.Fatal("a breaker was dropped that was idle for less than an hour, after its last window")
		}
		time.Sleep(time.Hour)
		if b := g.Get("new"); b == shared || g.Get("new") != b {
			t.Fatal("an idle breaker did not make room")
		}
		if g.Get("sick") != sick || g.Get("forced") != forced || g.Get("checked") != checked {
			t.Fatal("a breaker with something to remember was dropped")
		}
		sick.Reset()
		for range 30 {
			time.Sleep(5 * time.Minute)
			call(t, g.Get("new"), nil)
		}
		if all := g.Snapshots(); len(all) != 3 || all[1].Name != "pods/forced" || all[2].Name != "pods/new" {
			t.Errorf("got %v, want the breakers that are in use, checked or forced", all)
		}
	})
}

func TestIdleBreakersRemainIfAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "pods"}, IdleTime: -1})
		b := g.Get("old")
		time.Sleep(240 * time.Hour)
		if len(g.Snapshots()) != 1 || g.Get("old") != b {
			t.Error("an idle breaker was dropped")
		}
	})
}

// A breaker that has been used without interruption is idle since its last window, not since its creation.
func TestBusyBreakersAreNotDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "pods"}, IdleTime: 10 * time.Minute})
		b := g.Get("busy")
		for range 100 {
			call(t, b, nil)
			time.Sleep(9 * time.Minute)
			if len(g.Snapshots()) != 1 {
				t.Fatal("a breaker was dropped that is used")
			}
		}
	})
}

func TestLabelsReplaceKeys(t *testing.T) {
	g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "tenants"}, Label: func(key string) string {
		return fmt.Sprintf("%x", sha256.Sum256([]byte(key)))[:8]
	}})
	secret := "a token with a newline\n that is longer than any name" + strings.Repeat(".", 300)
	b := g.Get(secret)
	if b == g.Get("another") || b != g.Get(secret) {
		t.Fatal("keys do not have breakers of their own")
	}
	trip(t, b)
	_, err := b.Allow(t.Context())
	if all := g.Snapshots(); len(all) != 2 || strings.Contains(fmt.Sprint(all, err), "token") {
		t.Errorf("%v, %v: want two breakers, without the secret", all, err)
	}
}

// Breakers of keys with one label are reported as one, whose counts do not fall when one of the keys is dropped.
func TestCountersOfALabelDoNotFallWhenAKeyIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "tenants"}, Label: func(string) string { return "all" }})
		total := func() (calls, opened uint64) {
			for _, s := range g.Snapshots() {
				calls += s.Calls.Successes + s.Calls.Failures
				opened += s.Transitions[breaker.Open]
			}
			return calls, opened
		}
		trip(t, g.Get("failed once"))
		time.Sleep(time.Minute)
		call(t, g.Get("failed once"), nil) // closes it
		want, _ := total()
		for range 30 {
			time.Sleep(20 * time.Minute)
			call(t, g.Get("busy"), nil)
			want++
			if calls, opened := total(); calls != want || opened != 1 {
				t.Fatalf("%d calls and %d transitions to open, want %d and 1", calls, opened, want)
			}
		}
		if n := len(g.Snapshots()); n != 1 {
			t.Fatalf("%d breakers, want the idle one dropped", n)
		}
		time.Sleep(2 * time.Hour)
		if n := len(g.Snapshots()); n != 0 {
			t.Fatalf("%d breakers, want all dropped", n)
		}
		call(t, g.Get("busy"), nil)
		if calls, opened := total(); calls != 1 || opened != 0 {
			t.Errorf("%d calls and %d transitions to open of a name that was gone, want 1 and 0", calls, opened)
		}
	})
}
