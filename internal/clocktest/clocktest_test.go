package clocktest_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/clocktest"
)

type inner struct{ at time.Time }

type outer struct {
	plain    time.Time
	pointer  *inner
	atomic   atomic.Pointer[inner]
	byName   map[string]inner
	list     []inner
	value    any
	stripped time.Time
	zero     time.Time
	self     *outer
}

func TestSetAndStripped(t *testing.T) {
	now := time.Now()
	o := &outer{
		plain: now, pointer: &inner{now}, byName: map[string]inner{"a": {now}}, list: []inner{{now}}, value: inner{now},
		stripped: now.Round(0),
	}
	o.atomic.Store(&inner{now})
	o.self = o
	if got := clocktest.Stripped(o); !slices.Equal(got, []string{"outer.stripped"}) {
		t.Errorf("Stripped returns %v", got)
	}
	clocktest.Set(o, -time.Hour)
	for i, at := range []time.Time{o.plain, o.pointer.at, o.atomic.Load().at, o.byName["a"].at, o.list[0].at, o.value.(inner).at} {
		if got := at.Round(0).Sub(now.Round(0)); got != time.Hour || at.Sub(now) != 0 {
			t.Errorf("%d: moved by %v, by %v on the monotonic clock; want 1h and 0", i, got, at.Sub(now))
		}
	}
	if got := o.stripped.Sub(now.Round(0)); got != time.Hour || !o.zero.IsZero() {
		t.Errorf("the time without a monotonic reading moved by %v, the zero time to %v; want 1h and zero", got, o.zero)
	}
}
