package checker_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/checker"
)

func TestNumberOfChecksIsBounded(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context) error { return nil }
	checks := make([]checker.Check, 10_001)
	for i := range checks {
		checks[i] = checker.Check{Name: strconv.Itoa(i), Run: nothing}
	}
	if _, err := checker.New(checker.Config{Checks: checks}); err == nil || !strings.Contains(err.Error(), "more than 10000 checks") {
		t.Errorf("New takes %d checks: %v", len(checks), err)
	}
	c, err := checker.New(checker.Config{Checks: checks[1:]})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(checks[0]); err == nil || !strings.Contains(err.Error(), "more than 10000 checks") {
		t.Errorf("one more is added: %v", err)
	}
	c.Remove("1")
	if err := c.Add(checks[0]); err != nil {
		t.Errorf("one that takes the place of another is refused: %v", err)
	}
}
