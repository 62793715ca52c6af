//go:build !race

package breaker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

func TestClosedAndRejectedCallsDoNotAllocate(t *testing.T) {
	b := newBreaker(t, breaker.Config{})
	do := func() { _, _ = breaker.Do(context.Background(), b, answer) }
	admit := func() {
		if permit, err := b.Allow(context.Background()); err == nil {
			permit.Done(nil)
		}
	}
	for name, run := range map[string]func(){"Do": do, "Admit": admit} {
		if n := testing.AllocsPerRun(1000, run); n != 0 {
			t.Errorf("closed, %s: %v allocations", name, n)
		}
	}
	b.TripFor(time.Minute)
	for name, run := range map[string]func(){"Do": do, "Admit": admit} {
		if n := testing.AllocsPerRun(1000, run); n != 0 {
			t.Errorf("rejected, %s: %v allocations", name, n)
		}
	}
}

func TestRefusedKeysDoNotAllocate(t *testing.T) {
	g := newGroup(t, breaker.GroupConfig{Breaker: breaker.Config{Name: "hosts"}})
	key := strings.Repeat("x", 1<<20)
	if n := testing.AllocsPerRun(100, func() { g.Get(key) }); n != 0 {
		t.Errorf("a key that is too long: %v allocations", n)
	}
}
