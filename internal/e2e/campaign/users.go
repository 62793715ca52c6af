package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// era is what users may expect, for as long as nothing is done to the world.
type era struct {
	expect expectation
	// known says that what a user has put before this era is still there.
	number uint64
}

type expectation int

const (
	anything  expectation = iota // the world is changing
	works                        // each call succeeds
	failsFast                    // the database is away: calls are turned away at once, or answered from the cache
)

// Calls take no longer than this: an optional dependency that hangs costs a cache's, a price's and an upstream's own
// short timeouts. What fails has to fail in less than the store's own timeout of 2 s.
const (
	patience = 4 * time.Second
	quickly  = 1500 * time.Millisecond
)

// users call the server's own service all the time, and judge each call that began and ended in one era.
type users struct {
	now    atomic.Pointer[era]
	sent   atomic.Int64
	judged atomic.Int64

	mu    sync.Mutex
	wrong []error
	total int // all that was ever wrong
}

func newUsers() *users {
	u := &users{}
	u.now.Store(&era{})
	return u
}

// expect begins an era, and returns once nobody can take the old one for the present.
func (u *users) expect(e expectation) { u.now.Store(&era{expect: e, number: u.now.Load().number + 1}) }

// run calls until ctx ends.
func (u *users) run(ctx context.Context, items inventoryv1.InventoryClient, name string) {
	mine := rand.New(rand.NewPCG(0, uint64(len(name))))
	for n := 0; ctx.Err() == nil; n++ {
		sku := fmt.Sprintf("%s-%d", name, mine.IntN(50))
		u.call(ctx, "Put", func(ctx context.Context) error {
			item := &inventoryv1.Item{Sku: sku, Name: "Any", Quantity: int64(n)}
			_, err := items.Put(ctx, &inventoryv1.PutRequest{Item: item})
			return err
		})
		u.call(ctx, "Get", func(ctx context.Context) error {
			_, err := items.Get(ctx, &inventoryv1.GetRequest{Sku: sku})
			return err
		})
		if n%4 == 0 {
			u.call(ctx, "List", func(ctx context.Context) error {
				_, err := items.List(ctx, &inventoryv1.ListRequest{PageSize: 10})
				return err
			})
		}
		pause := time.NewTimer(20 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// call makes a call and judges it, unless the world has changed meanwhile.
func (u *users) call(ctx context.Context, method string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	at, began := u.now.Load(), time.Now()
	err := do(ctx)
	took := time.Since(began)
	if ctx.Err() != nil && status.Code(err) == codes.Canceled {
		return // The campaign is over.
	}
	u.sent.Add(1)
	if at.expect == anything || u.now.Load() != at {
		return
	}
	u.judged.Add(1)
	if wrong := judgeCall(at.expect, method, err, took); wrong != nil {
		u.mu.Lock()
		u.wrong = append(u.wrong, wrong)
		u.total++
		u.mu.Unlock()
	}
}

// judgeCall says what is wrong about a call's result.
func judgeCall(expect expectation, method string, err error, took time.Duration) error {
	switch code := status.Code(err); {
	case expect == works && err != nil && (method != "Get" || code != codes.NotFound):
		return fmt.Errorf("a %s was lost after %v: %w", method, took.Round(time.Millisecond), err)
	case expect == failsFast && err == nil && method != "Get":
		return fmt.Errorf("a %s has succeeded without a database", method)
	case expect == failsFast && err != nil && code != codes.Unavailable:
		return fmt.Errorf("a %s failed with %w, want UNAVAILABLE", method, err)
	case expect == failsFast && took > quickly:
		return fmt.Errorf("a %s took %v to fail", method, took.Round(time.Millisecond))
	}
	return nil
}

// takeWrong returns what was wrong since the last call.
func (u *users) takeWrong() []error {
	u.mu.Lock()
	defer u.mu.Unlock()
	wrong := u.wrong
	u.wrong = nil
	return wrong
}
