package testdeps

import (
	"testing"
	"time"
)

// Eventually asks until the answer is nil, and fails the test with the last answer when it takes longer than within.
func Eventually(t testing.TB, within time.Duration, ask func() error) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %v", within, err)
		case <-t.Context().Done():
			t.Fatalf("the test ended first: %v", err)
		}
	}
}
