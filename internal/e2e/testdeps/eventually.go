package testdeps

import (
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// Eventually asks until the answer is nil, and fails the test with the last answer when it takes longer than within.
func Eventually(t testing.TB, within time.Duration, ask func() error) {
	t.Helper()
	if err := rig.Eventually(t.Context(), within, ask); err != nil {
		t.Fatal(err)
	}
}
