package breaker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// model is the specification of a breaker: it keeps every result and has its own clock.
type model struct {
	now         time.Duration
	state       breaker.State
	epoch       int
	consecutive int
	results     []result
	failedTries int
	opened      time.Duration // the last open time
	closed      time.Duration // the last time of closing
	due         time.Duration // end of the open time or of the probe's lease
	probe       *trial
}

type result struct {
	at     time.Duration
	failed bool
}

// trial is one call, of breaker and model.
type trial struct {
	permit  *breaker.Permit
	epoch   int
	probe   bool
	expired bool
}

var modelConfig = breaker.Config{Name: "model", Jitter: -1, MaxCallTime: 4 * time.Second}

func (m *model) enter(state breaker.State) {
	from := m.state
	m.state, m.probe, m.consecutive, m.results = state, nil, 0, nil
	m.epoch++
	switch state {
	case breaker.Closed:
		m.closed = m.now
	case breaker.Open:
		switch {
		case from == breaker.HalfOpen:
			m.failedTries = min(m.failedTries+1, 7) // the 7th doubling is the first beyond the limit
		case m.now-m.closed >= max(m.opened, 30*time.Second):
			m.failedTries = 0
		}
		m.opened = min(5*time.Second<<m.failedTries, 5*time.Minute)
		m.due = m.now + m.opened
	}
}

func (m *model) sleep(d time.Duration) {
	end := m.now + d
	for {
		switch {
		case m.state == breaker.Open && m.due <= end:
			m.now = m.due
			m.enter(breaker.HalfOpen)
		case m.probe != nil && m.due <= end:
			m.now = m.due
			m.enter(breaker.Open)
		default:
			m.now = end
			return
		}
	}
}

// allow returns nil if the call is rejected.
func (m *model) allow(expired bool) *trial {
	switch {
	case m.state == breaker.Closed, m.state == breaker.HalfOpen && expired && m.probe == nil:
		return &trial{epoch: m.epoch, expired: expired}
	case m.state == breaker.HalfOpen && m.probe == nil:
		m.probe = &trial{epoch: m.epoch, probe: true}
		m.due = m.now + modelConfig.MaxCallTime
		return m.probe
	default:
		return nil
	}
}

// record reports whether the breaker must, and whether it may, have opened by the failure rate: the window rotates in
// tenths, so that results of that age may count or not.
func (m *model) record(c *trial, outcome breaker.Outcome) (must, may bool) {
	switch {
	case c.epoch != m.epoch, c.expired, m.state == breaker.HalfOpen && m.probe != c:
	case c.probe && outcome == breaker.Success:
		m.enter(breaker.Closed)
	case c.probe && outcome == breaker.Failure:
		m.enter(breaker.Open)
	case c.probe:
		m.probe = nil
	case outcome == breaker.Success:
		m.consecutive = 0
		m.results = append(m.results, result{m.now, false})
	case outcome == breaker.Failure:
		m.consecutive++
		m.results = append(m.results, result{m.now, true})
		if m.consecutive >= 5 {
			m.enter(breaker.Open)
			return false, false
		}
		long, short := m.bad(30*time.Second), m.bad(27*time.Second)
		return long && short, long || short
	}
	return false, false
}

// bad reports whether the failure rate of the last span is too high.
func (m *model) bad(span time.Duration) bool {
	calls, failures := 0, 0
	for _, r := range m.results {
		if r.at >= m.now-span {
			calls++
			if r.failed {
				failures++
			}
		}
	}
	return calls >= 20 && 2*failures >= calls
}

// play runs one script on a breaker and on the model, and compares them after each step.
func play(t *testing.T, script []byte) {
	b := newBreaker(t, modelConfig)
	m := &model{}
	expired, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Hour))
	defer cancel()
	var open []*trial
	for i, op := range script {
		step := fmt.Sprintf("step %d (%d)", i, op)
		argument := int(op >> 3)
		switch op & 7 {
		case 0:
			d := time.Duration(argument*argument) * 100 * time.Millisecond
			time.Sleep(d)
			synctest.Wait()
			m.sleep(d)
		case 1, 2:
			ctx, late := context.Background(), argument == 31
			if late {
				ctx = expired
			}
			var err error
			permit := new(breaker.Permit)
			*permit, err = b.Allow(ctx)
			c := m.allow(late)
			if (c == nil) != breaker.IsRejected(err) {
				t.Fatalf("%s: admitted %v, model %v", step, err == nil, c != nil)
			}
			if c != nil {
				c.permit = permit
				open = append(open, c)
			}
		default:
			if len(open) == 0 {
				continue
			}
			n := argument % len(open)
			c := open[n]
			open = append(open[:n], open[n+1:]...)
			outcome := [...]breaker.Outcome{breaker.Success, breaker.Failure, breaker.Failure, breaker.Neutral, breaker.Failure}[op&7-3]
			c.permit.Record(outcome, errDown)
			must, may := m.record(c, outcome)
			opened := m.state == breaker.Closed && b.State() == breaker.Open
			if opened != may && opened != must {
				t.Fatalf("%s: opened by rate %v, model must %v, may %v", step, opened, must, may)
			}
			if opened {
				m.enter(breaker.Open)
			}
			c.permit.Record(breaker.Failure, errDown) // twice is harmless
		}
		s := b.Snapshot()
		if s.State != m.state {
			t.Fatalf("%s: state %v, model %v", step, s.State, m.state)
		}
		if s.State == breaker.Closed && int(breaker.Consecutive(b)) != m.consecutive {
			t.Fatalf("%s: %d failures in a row, model %d", step, breaker.Consecutive(b), m.consecutive)
		}
		if s.State == breaker.Open && m.due < 200*time.Second && time.Until(s.RetryAt) != m.due-m.now {
			t.Fatalf("%s: retry in %v, model %v", step, time.Until(s.RetryAt), m.due-m.now)
		}
	}
}

func FuzzBreakerAgainstModel(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		script := make([]byte, 400)
		bias := random.IntN(4)
		for i := range script {
			script[i] = byte(random.Uint32())
			if bias > 0 && random.IntN(4) < bias && script[i]&7 == 0 {
				script[i] = script[i]&7 | script[i]&0x1f // shorter sleeps let windows fill
			}
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 4096 {
			t.Skip("long enough")
		}
		synctest.Test(t, func(t *testing.T) { play(t, script) })
	})
}
