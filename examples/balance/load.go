package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

// tally is what became of calls.
type tally struct {
	calls, lost int
	served      map[string]int
	took        []time.Duration // by the calls that were served, sorted
	errs        []error         // the first few
}

// patience is how long a call may take. It is generous, because a stressed server is slow and not gone.
const patience = 30 * time.Second

// load calls e.rate times a second for d, or until ctx ends, whether responses arrive or not: a client that waits for a
// slow server before the next call underestimates its latency (coordinated omission). It returns when all calls have
// ended.
func (e experiment) load(ctx context.Context, conn *grpc.ClientConn, d time.Duration) tally {
	t := tally{served: make(map[string]int)}
	var mu sync.Mutex
	var calls sync.WaitGroup
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(time.Second / time.Duration(e.rate))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			calls.Go(func() {
				began := time.Now()
				name, err := callOnce(ctx, conn)
				mu.Lock()
				defer mu.Unlock()
				t.add(name, time.Since(began), err)
			})
			continue
		case <-end.C:
		case <-ctx.Done():
		}
		calls.Wait()
		slices.Sort(t.took)
		return t
	}
}

// callOnce does not wait for a connection and does not try again: what is lost shall be seen.
func callOnce(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	answer, err := testpb.NewTestServiceClient(conn).UnaryCall(ctx, &testpb.SimpleRequest{})
	return answer.GetServerId(), err
}

func (t *tally) add(name string, took time.Duration, err error) {
	t.calls++
	if err != nil {
		t.lost++
		if len(t.errs) < 5 {
			t.errs = append(t.errs, err)
		}
		return
	}
	t.served[name]++
	t.took = append(t.took, took)
}

// share returns the part of the answered calls that name has answered.
func (t *tally) share(name string) float64 {
	return float64(t.served[name]) / float64(max(len(t.took), 1))
}

// quantile returns the time that a part q of the calls took at most.
func (t *tally) quantile(q float64) time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	return t.took[int(q*float64(len(t.took)-1))].Round(100 * time.Microsecond)
}
