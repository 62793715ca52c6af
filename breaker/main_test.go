package breaker_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/breaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("dependency is down: password=hunter2")

func newBreaker(t testing.TB, cfg breaker.Config) *breaker.Breaker {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "database"
	}
	b, err := breaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// call makes one call that ends with err, and returns what its caller sees.
func call(t testing.TB, b *breaker.Breaker, err error) error {
	t.Helper()
	_, got := breaker.Do(t.Context(), b, func(context.Context) (int, error) { return 0, err })
	return got
}

func wantState(t testing.TB, b *breaker.Breaker, want breaker.State) {
	t.Helper()
	if got := b.Snapshot().State; got != want {
		t.Fatalf("state is %v, want %v", got, want)
	}
}

func trip(t testing.TB, b *breaker.Breaker) {
	t.Helper()
	for range 5 {
		call(t, b, errDown)
	}
	wantState(t, b, breaker.Open)
}
