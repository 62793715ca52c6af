package week

import (
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// ill is what can be wrong with something.
type ill uint8

const (
	well     ill = iota
	down         // answers with an error
	slow         // answers in time, but late
	hanging      // does not answer until it is told to give up
	stuck        // does not answer at all
	panicky      // panics
	flapping     // well for 20 s, down for 20 s
)

// incident is one entry of the script. Times count from the beginning of the week.
type incident struct {
	who      string
	what     ill
	from, to time.Duration
}

// maintenance is a name taken out on purpose.
type maintenance struct {
	name     string
	from, to time.Duration
	renewed  int
}

// The names of what the server needs, and what becomes of it when that fails.
const (
	orders = "shop.v1.Orders"

	tick     = 2 * time.Minute // what happens, happens every tick
	interval = 2 * time.Minute // of checks

	// settled is how long after a change every verdict must have followed: three timeouts in a row take longest.
	settled = 4 * time.Minute
	// measured is the same for resources, which are looked at less often.
	measured = 6 * time.Minute
)

// scenario is everything around the server: what it needs, in what state, and who has asked.
type scenario struct {
	began     time.Time
	incidents map[string][]incident
	windows   []maintenance
	asked     map[string]*diary // by check
	wedged    atomic.Int64      // runs that sit in a check that ignores its context
	lives     int               // servers so far
}

// diary is what a check's function remembers of its runs.
type diary struct {
	mu    sync.Mutex
	runs  uint64
	last  time.Time
	gaps  int
	total time.Duration
	least time.Duration
	most  time.Duration
	when  time.Time // the end of the longest gap
}

func newScenario(span time.Duration) *scenario {
	w := &scenario{began: time.Now(), incidents: map[string][]incident{}, asked: map[string]*diary{}}
	random := rand.New(rand.NewPCG(2026, 11))
	kinds := map[string][]ill{
		"database": {down, hanging, slow, panicky}, "payments": {down}, "cache": {down, flapping}, "search": {hanging, slow},
		"ledger": {down, slow}, "mail": {panicky, down}, "auth": {stuck, down}, "queue": {down, hanging}, "loop": {down},
		"cpu_usage": {down},
	}
	for _, who := range slices.Sorted(maps.Keys(kinds)) { // in one order, so that every run plays the same script
		ills := kinds[who]
		w.asked[who] = &diary{least: math.MaxInt64}
		for at := time.Duration(random.Int64N(int64(8 * time.Hour))); at < span; {
			lasts := 8*time.Minute + time.Duration(random.Int64N(int64(40*time.Minute)))
			w.incidents[who] = append(w.incidents[who], incident{who, ills[random.IntN(len(ills))], at, at + lasts})
			at += lasts + 3*time.Hour + time.Duration(random.Int64N(int64(14*time.Hour)))
		}
	}
	w.asked["steady"] = &diary{least: math.MaxInt64}
	for day := range span / (24 * time.Hour) {
		at := day * 24 * time.Hour
		w.windows = append(w.windows, maintenance{name: "readiness", from: at + 2*time.Hour, to: at + 2*time.Hour + 20*time.Minute},
			maintenance{name: orders, from: at + 13*time.Hour, to: at + 13*time.Hour + 44*time.Minute},
			maintenance{name: "cache", from: at + 17*time.Hour, to: at + 17*time.Hour + 10*time.Minute})
	}
	return w
}

func (w *scenario) now() time.Duration { return time.Since(w.began) }

// state is what is wrong with who at t, and until when.
func (w *scenario) state(who string, t time.Duration) (ill, time.Duration) {
	for _, i := range w.incidents[who] {
		if i.from <= t && t < i.to {
			return i.what, i.to
		}
	}
	return well, math.MaxInt64
}

// sure is what has been wrong with who for the whole of the span before t; false if that has changed.
func (w *scenario) sure(who string, t, span time.Duration) (ill, bool) {
	for _, i := range w.incidents[who] {
		for _, edge := range [...]time.Duration{i.from, i.to} {
			if t-span < edge && edge <= t {
				return well, false
			}
		}
	}
	state, _ := w.state(who, t)
	return state, true
}

var errDown = errors.New("dial tcp 10.0.0.7:5432: password hunter2 refused")

// ask is a check's function: it answers as the script says.
func (w *scenario) ask(who string) func(context.Context) error {
	d := w.asked[who]
	return func(ctx context.Context) error {
		now := w.now()
		state, until := w.state(who, now)
		d.note(state == well)
		switch state {
		case down:
			return errDown
		case slow:
			time.Sleep(2 * time.Second)
		case hanging:
			<-ctx.Done()
			return ctx.Err()
		case stuck:
			w.wedged.Add(1)
			time.Sleep(until - now)
			w.wedged.Add(-1)
		case panicky:
			panic("nobody expected this")
		case flapping:
			if now/(20*time.Second)%2 == 1 {
				return errDown
			}
		}
		return nil
	}
}

// note keeps the gap since the run before, if nothing was wrong then and now.
func (d *diary) note(well bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs++
	now := time.Now()
	if well && !d.last.IsZero() {
		gap := now.Sub(d.last)
		d.gaps++
		d.total += gap
		d.least = min(d.least, gap)
		if gap > d.most {
			d.most, d.when = gap, now
		}
	}
	d.last = now
	if !well {
		d.last = time.Time{}
	}
}

// turn begins a new page: the gap between two lives is none of the schedule's.
func (d *diary) turn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = time.Time{}
}

// pages is the number of runs.
func (d *diary) pages() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runs
}

// cpu measures a CPU that the script keeps busy.
func (w *scenario) cpu(context.Context) (checker.Measurement, error) {
	m := checker.Measurement{Value: 30, Unit: "%"}
	if state, _ := w.state("cpu_usage", w.now()); state != well {
		m.Value = 97
	}
	return m, nil
}
