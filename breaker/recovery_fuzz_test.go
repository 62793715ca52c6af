package breaker_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// pair is one breaker inside another, each with a check that calls through both.
type pair struct {
	inner, outer           *breaker.Breaker
	innerCheck, outerCheck func(context.Context) error
	down                   bool
	open                   []*breaker.Permit
}

// FuzzRecovery runs random operations on a pair, including permits that are never ended and abandoned calls. Afterwards,
// once the dependency works again, checks alone close both breakers.
func FuzzRecovery(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		script := make([]byte, 200)
		for i := range script {
			script[i] = byte(random.Uint32())
		}
		f.Add(uint8(random.Uint32()), script)
	}
	f.Fuzz(func(t *testing.T, config uint8, script []byte) {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, config)
			for _, op := range script[:min(len(script), 1000)] {
				p.act(t, op&15, int(op>>4))
			}
			p.recovers(t)
		})
	})
}

func newPair(t *testing.T, config uint8) *pair {
	p := &pair{
		inner: newBreaker(t, breaker.Config{
			Name: "inner", ProbeOnly: config&1 == 1, ObserveOnly: config>>1&3 == 3, SlowCall: time.Duration(config >> 3 & 1), MinCalls: 3,
		}),
		outer: newBreaker(t, breaker.Config{Name: "outer", ProbeOnly: config>>4&1 == 1}),
	}
	p.innerCheck, p.outerCheck = p.inner.Check(p.call), p.outer.Check(p.call)
	return p
}

func (p *pair) answer(context.Context) (int, error) {
	if p.down {
		return 0, errDown
	}
	return 0, nil
}

func (p *pair) call(ctx context.Context) error {
	_, err := breaker.Do(ctx, p.outer, func(ctx context.Context) (int, error) { return breaker.Do(ctx, p.inner, p.answer) })
	return err
}

func (p *pair) act(t *testing.T, op byte, argument int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	switch p.down = argument&1 == 1; op {
	case 0, 1:
		time.Sleep(time.Duration(argument*argument) * 100 * time.Millisecond)
		synctest.Wait()
	case 2, 3, 4:
		_ = p.call(ctx)
	case 5:
		cancel()
		_ = p.call(ctx)
	case 6, 7:
		permit := new(breaker.Permit)
		var err error
		if *permit, err = p.inner.Allow(t.Context()); err == nil {
			p.open = append(p.open, permit)
		}
	case 8, 9:
		if len(p.open) > 0 {
			p.use(p.open[argument%len(p.open)], argument)
		}
	case 10:
		_ = p.innerCheck(ctx)
	case 11:
		_ = p.outerCheck(ctx)
	case 12:
		p.inner.TripFor(time.Duration(argument) * time.Second)
	case 13:
		_, err := p.answer(ctx)
		p.inner.Observe(err)
	case 14:
		[...]func(string){p.inner.ForceOpen, p.inner.ForceClosed}[argument%2]("operator")
	case 15:
		p.inner.Reset()
	}
}

// use makes a call with a permit and may end it.
func (p *pair) use(permit *breaker.Permit, argument int) {
	_, _ = breaker.Do(permit.Context(), p.inner, p.answer)
	switch argument >> 1 & 3 {
	case 0:
		permit.Confirm()
	case 1:
		permit.Done(errDown)
	case 2:
		permit.Record(breaker.Neutral, nil)
	}
}

func (p *pair) recovers(t *testing.T) {
	if p.inner.Snapshot().Forced {
		p.inner.Reset()
	}
	p.down = false
	for range 40 { // For longer than the longest open time and the patience with a check together.
		time.Sleep(20 * time.Second)
		synctest.Wait()
		_ = p.innerCheck(t.Context())
		_ = p.outerCheck(t.Context())
	}
	wantState(t, p.inner, breaker.Closed)
	wantState(t, p.outer, breaker.Closed)
	if err := p.call(t.Context()); err != nil {
		t.Fatalf("a call through closed breakers: %v", err)
	}
}
