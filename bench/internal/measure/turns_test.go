package measure_test

import (
	"bytes"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/bench/internal/measure"
)

// costs is a subject of which every operation takes that long, in the time of a bubble.
func costs(each time.Duration) measure.Subject {
	return func(n int) { time.Sleep(time.Duration(n) * each) }
}

func TestInterleave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := measure.Plan{Rounds: 5, Turn: time.Millisecond, Figure: measure.Sample.Median, Progress: &out}
		samples := measure.Interleave(p, 1, 1, costs(10*time.Nanosecond), costs(3*time.Second))
		for i, want := range []float64{10, 3e9} {
			if len(samples[i]) != p.Rounds || samples[i].Best() != want || samples[i].Median() != want {
				t.Errorf("subject %d: %v, want %v in each of %d rounds", i, samples[i], want, p.Rounds)
			}
		}
		if out.Len() == 0 {
			t.Error("no progress is shown")
		}
	})
}

func TestInterleaveTakesTurns(t *testing.T) {
	var order []int
	noting := func(i int) measure.Subject { return func(int) { order = append(order, i) } }
	measure.Interleave(measure.Plan{Rounds: 3, Turn: 0}, 1, 1, noting(0), noting(1))
	order = order[len(order)-6:] // what was before found the length of a turn
	if !slices.Equal(order, []int{0, 1, 0, 1, 0, 1}) {
		t.Errorf("turns are %v", order)
	}
}

func TestInterleaveSharesTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		subject := func(n int) { calls.Add(1); costs(time.Microsecond)(n) }
		samples := measure.Interleave(measure.Plan{Rounds: 1, Turn: time.Millisecond}, 1, 8, subject)
		if got := samples[0].Best(); got != 125 {
			t.Errorf("eight workers of 1 µs each take %v ns for an operation, want 125", got)
		}
		if calls.Load()%8 != 0 {
			t.Errorf("%d calls are no multiple of the workers", calls.Load())
		}
	})
}

func TestInterleaveGivesTheCoresBack(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	inside := 0
	measure.Interleave(measure.Plan{Rounds: 1}, before+1, 1, func(int) { inside = runtime.GOMAXPROCS(0) })
	if inside != before+1 || runtime.GOMAXPROCS(0) != before {
		t.Errorf("%d cores inside, %d afterwards; want %d and %d", inside, runtime.GOMAXPROCS(0), before+1, before)
	}
}

func TestPaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slower := 1 // the machine gets slower all the time, which no difference within a pair shows
		takes := func(extra time.Duration) func() {
			return func() { slower++; time.Sleep(time.Duration(slower/600)*time.Microsecond + extra) }
		}
		base := time.Now()
		clock := func() time.Duration { return time.Since(base) }
		added, total := measure.Paired(measure.Plan{}, clock, 40, takes(time.Millisecond), takes(2*time.Millisecond), takes(time.Millisecond))
		if len(added[0]) != 20 || len(added[1]) != 20 || len(total) != 40 {
			t.Fatalf("%d, %d and %d blocks", len(added[0]), len(added[1]), len(total))
		}
		if got := added[0].Median(); got < 0.999e6 || got > 1.001e6 {
			t.Errorf("the first adds %v ns, want about 1e6", got)
		}
		if got := added[1].Median(); got < -1000 || got > 1000 {
			t.Errorf("the second adds %v ns, want about nothing", got)
		}
	})
}

func TestPlan(t *testing.T) {
	p := measure.Plan{Rounds: 24, Turn: time.Second}
	if got := p.Sizes(1, 2, 3); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("sizes are %v", got)
	}
	if got := p.Times(0.25); got.Rounds != 6 || got.Total() != 6*time.Second {
		t.Errorf("a quarter is %d rounds, %v", got.Rounds, got.Total())
	}
	p.Short, p.Rounds = true, 5
	if got := p.Sizes(1, 2, 3); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("short sizes are %v", got)
	}
	if got := p.Times(0.25).Rounds; got != 3 {
		t.Errorf("a quarter of 5 rounds is %d, want 3: fewer have no median", got)
	}
}

func TestMemory(t *testing.T) {
	before := measure.Memory()
	kept := make([]byte, 10<<20)
	after := measure.Memory()
	runtime.KeepAlive(kept)
	if held := after - before; held < 9<<20 || held > 11<<20 { // what else lives in the process comes and goes
		t.Errorf("10 MiB hold %v bytes", held)
	}
}

func TestAllocations(t *testing.T) {
	var kept [100]*[64]byte
	got := measure.Allocations(func() {
		for i := range kept {
			kept[i] = new([64]byte)
		}
	})
	if got < 100 || got > 150 {
		t.Errorf("100 allocations were counted as %v", got)
	}
}
