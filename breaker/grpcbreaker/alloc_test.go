//go:build !race

package grpcbreaker_test

import (
	"testing"

	"github.com/vitals-go/vitals/breaker"
)

func TestUnaryCallThatSucceedsDoesNotAllocate(t *testing.T) {
	_, interceptor := newGuard(t, breaker.Config{})
	calls := &fakeCalls{Interceptor: interceptor}
	calls.succeed(t.Context())
	if n := testing.AllocsPerRun(1000, func() { calls.call(t.Context()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
