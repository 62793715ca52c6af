package breaker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
)

// hostile is an error with a panicking Error method.
type hostile struct{}

func (hostile) Error() string { panic("boom") }

// The error of a rejected check names what opened the breaker; the error of a rejected call does not.
func TestRejectedCheckNamesTheCauseAndCallsDoNot(t *testing.T) {
	t.Parallel()
	b, err := breaker.New(breaker.Config{Name: "database", ConsecutiveFailures: 1})
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("connection refused")
	call := func(context.Context) error { return refused }
	check := b.Check(call)
	_ = check(t.Context())

	err = check(t.Context())
	rejection, ok := errors.AsType[*breaker.OpenError](err)
	if !ok || !breaker.IsRejected(err) || errors.Is(err, refused) {
		t.Errorf("check: %#v, want a rejection, which is not its cause", err)
	}
	if want := "circuit breaker database is open: connection refused"; err.Error() != want {
		t.Errorf("check: %q, want %q", err, want)
	}
	_, err = breaker.Do(t.Context(), b, func(context.Context) (int, error) { return 0, nil })
	if strings.Contains(err.Error(), refused.Error()) {
		t.Errorf("call: %q holds the cause", err)
	}

	b.Reset()
	b.Observe(hostile{})
	if err, want := check(t.Context()), "circuit breaker database is open: error of type breaker_test.hostile, whose Error method panics"; err == nil || err.Error() != want {
		t.Errorf("check: %v, want %q", err, want)
	}

	b.ForceOpen("upgrade")
	if err := check(t.Context()); err == nil || err.Error() != rejection.Error() {
		t.Errorf("forced: %v, want %v", err, rejection)
	}
}

func TestDegradedCheckIsASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{ConsecutiveFailures: 1, OpenTime: time.Second, Jitter: -1})
		result := errors.New("down")
		check := b.Check(func(context.Context) error { return result })
		for _, want := range []breaker.State{breaker.Open, breaker.Closed, breaker.Closed} {
			if err := check(t.Context()); !errors.Is(err, result) {
				t.Errorf("got %v, want %v", err, result)
			}
			if got := b.State(); got != want {
				t.Errorf("%v after %v, want %v", got, result, want)
			}
			time.Sleep(2 * time.Second)
			result = checker.Degraded("the index is old", nil)
		}
	})
}
