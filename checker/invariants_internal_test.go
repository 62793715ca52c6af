package checker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestInvariantsUnderRandomOperations does at random, what can be done to a Checker, and looks after
// each deed whether what it holds agrees with itself.
func TestInvariantsUnderRandomOperations(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			m := newMadhouse(t, seed)
			for deed := 0; deed < 200 && !t.Failed(); deed++ {
				m.act()
				synctest.Wait()
				m.audit()
			}
			m.close()
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		})
	}
}

const randomParallel = 3

type randomRun struct {
	*Checker

	t       *testing.T
	random  *rand.Rand
	cancel  context.CancelFunc
	ended   chan error
	release chan struct{} // lets the deaf go
	readers sync.WaitGroup
	seq     uint64
}

func newMadhouse(t *testing.T, seed uint64) *randomRun {
	c, err := New(Config{MaxConcurrent: randomParallel})
	if err != nil {
		t.Fatal(err)
	}
	m := &randomRun{
		Checker: c, t: t, random: rand.New(rand.NewPCG(seed, 1)), ended: make(chan error), release: make(chan struct{}),
	}
	m.start()
	return m
}

func (m *randomRun) start() {
	ctx, cancel := context.WithCancel(m.t.Context())
	m.cancel = cancel
	go func() { m.ended <- m.Run(ctx) }()
}

func (m *randomRun) stop() {
	m.cancel()
	if err := <-m.ended; err != nil {
		m.t.Error(err)
	}
}

// upTo returns a time of at least a millisecond.
func (m *randomRun) upTo(most time.Duration) time.Duration {
	return max(time.Duration(m.random.Int64N(int64(most))), time.Millisecond)
}

func (m *randomRun) act() {
	name := fmt.Sprint("check", m.random.IntN(6))
	switch m.random.IntN(12) {
	case 10, 11:
		_ = m.Replace(m.check(name)) // it may be missing
	case 0, 1:
		m.Remove(name)
	case 2, 3, 4:
		_ = m.Add(m.check(name)) // it may be there
	case 5:
		m.readers.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if _, err := m.Refresh(ctx, name); errors.Is(err, context.DeadlineExceeded) {
				m.t.Errorf("a refresh of %s does not end", name)
			}
		})
	case 6:
		if m.random.IntN(5) == 0 {
			m.stop()
			m.start()
		}
	default:
		time.Sleep(m.upTo(time.Second))
	}
}

func (m *randomRun) check(name string) Check {
	var running atomic.Int64
	behaviour, slow := m.random.IntN(7), m.upTo(3*time.Second)
	return Check{
		Name: name, Interval: m.upTo(2 * time.Second), FailingInterval: m.upTo(3 * time.Second), Jitter: m.random.Float64(),
		Timeout: m.upTo(2 * time.Second), InitialDelay: m.upTo(time.Second), Retries: m.random.IntN(3),
		FailureThreshold: m.random.IntN(4), TimeoutThreshold: m.random.IntN(4), SuccessThreshold: m.random.IntN(3),
		Run: func(ctx context.Context) error {
			if running.Add(1) > 1 {
				m.t.Errorf("%s runs twice at a time", name)
			}
			defer running.Add(-1)
			switch behaviour {
			case 0:
				return errors.New("down")
			case 1:
				panic("mad")
			case 2:
				runtime.Goexit()
			case 3:
				<-m.release
			case 4:
				<-ctx.Done()
				return ctx.Err()
			case 5:
				time.Sleep(slow)
			}
			return nil
		},
	}
}

// audit looks when all is quiet.
func (m *randomRun) audit() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seq > m.Snapshot().Revision {
		m.t.Errorf("edition %d after %d", m.Snapshot().Revision, m.seq)
	}
	m.seq = m.Snapshot().Revision
	active := 0
	for i, e := range m.entries {
		if e.run != nil && !e.run.abandoned {
			active++
		}
		m.auditEntry(i, e)
	}
	if m.running != active {
		m.t.Errorf("%d runs, counted %d", active, m.running)
	}
	if m.session != nil && m.running < randomParallel && len(m.queue) > 0 {
		m.t.Errorf("%d wait for their turn although there is place", len(m.queue))
	}
	for _, e := range m.timers {
		if e.removed {
			m.t.Errorf("%s was removed and is on the agenda", e.check.Name)
		}
	}
}

func (m *randomRun) auditEntry(i int, e *entry) {
	if m.byName[e.check.Name] != e || i > 0 && m.entries[i-1].check.Name >= e.check.Name {
		m.t.Errorf("%s is not where it says", e.check.Name)
	}
	if e.queued && e.run != nil {
		m.t.Errorf("%s runs and waits for its turn", e.check.Name)
	}
	if m.session == nil {
		return
	}
	if e.slot < 0 && !e.queued {
		m.t.Errorf("%s is never looked at again", e.check.Name)
	}
	if e.expired(time.Now()) {
		m.t.Errorf("%s is believed after its time", e.check.Name)
	}
}

// close ends everything and counts what is left.
func (m *randomRun) close() {
	m.readers.Wait()
	close(m.release)
	m.stop()
	time.Sleep(time.Minute)
	m.drain()
	if m.running != 0 || m.detached != 0 || m.watchdog.inFlight != 0 || len(m.timers) != 0 || len(m.queue) != 0 {
		m.t.Errorf("left: %d run, %d leave, %d are watched, agenda of %d, queue of %d",
			m.running, m.detached, m.watchdog.inFlight, len(m.timers), len(m.queue))
	}
}
