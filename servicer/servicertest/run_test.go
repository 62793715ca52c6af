package servicertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/servicer/servicertest"
)

// tester records what Run says to a test.
type tester struct {
	testing.TB

	errors, fatals, logs []string
}

func (r *tester) Helper() {}

func (r *tester) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *tester) Fatalf(format string, args ...any) {
	r.fatals = append(r.fatals, fmt.Sprintf(format, args...))
}

func (r *tester) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func TestRunTellsEveryFindingOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target := newModel(t, "the list forgets")
		target.HTTP = ""
		r := &tester{TB: t}
		servicertest.Run(r, target)
		if len(r.errors) != 1 || len(r.fatals) != 0 || !strings.Contains(r.errors[0], `list.names`) ||
			!strings.Contains(r.errors[0], `"shop.v1.Orders" in the list`) || !strings.Contains(r.errors[0], "health.proto") {
			t.Errorf("told %q, %q", r.errors, r.fatals)
		}
		if logs := strings.Join(r.logs, "\n"); !strings.Contains(logs, "untested: http.ready") || !strings.Contains(logs, "rules kept") {
			t.Errorf("logged %q", r.logs)
		}
	})
}

func TestWhatIsSkippedIsUntested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target := newModel(t, "the list forgets")
		target.Skip = []string{"list.names"}
		r := &tester{TB: t}
		servicertest.Run(r, target)
		if len(r.errors) != 0 || !strings.Contains(strings.Join(r.logs, "\n"), "untested: list.names") {
			t.Errorf("told %q, logged %q", r.errors, r.logs)
		}
	})
}

func TestEveryMistakeInATargetIsNamed(t *testing.T) {
	t.Parallel()
	_, err := servicertest.Check(t.Context(), servicertest.Target{
		Names: []string{"a"}, Unknown: "a", HTTP: "localhost:8080", Checks: []string{"database"}, DrainDelay: time.Second,
		Timeout: -1, Skip: []string{"list.nmaes"},
	})
	for _, field := range []string{"Conn", "Unknown", "HTTP", "Checks", "DrainDelay", "Patience", "Skip"} {
		if err == nil || !strings.Contains(err.Error(), "Target."+field) {
			t.Errorf("%s is not named: %v", field, err)
		}
	}
	r := &tester{TB: t}
	servicertest.Run(r, servicertest.Target{})
	if len(r.fatals) != 1 || len(r.errors) != 0 {
		t.Errorf("a target without a connection: %q, %q", r.fatals, r.errors)
	}
}

// TestAnInterruptedJudgeGivesNoVerdict ends the context at many times: nothing that was seen then is held against the server.
func TestAnInterruptedJudgeGivesNoVerdict(t *testing.T) {
	t.Parallel()
	gone := errors.New("the test is over")
	for after := time.Duration(0); after < 8*time.Second; after += 370 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), after, gone)
			defer cancel()
			began := time.Now()
			result, err := servicertest.Check(ctx, newModel(t, ""))
			switch {
			case err != nil && (!errors.Is(err, gone) || result != nil):
				t.Errorf("after %v: %v", after, err)
			case err == nil && len(result.Violations) > 0:
				t.Errorf("after %v: %v", after, result)
			case err != nil && time.Since(began) > after+time.Second:
				t.Errorf("it took %v to notice", time.Since(began)-after)
			}
			time.Sleep(delay + time.Second) // a model that drains
		})
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{"exit 0": 0, "exit 4": 4, "kill -9 $$": -1} {
		if got := servicertest.Command("sh", "-c", script)(t.Context()); got != want {
			t.Errorf("%s: %d, want %d", script, got, want)
		}
	}
	if got := servicertest.Command("/nowhere/program")(t.Context()); got != -1 {
		t.Errorf("a program that is not there: %d", got)
	}
}
