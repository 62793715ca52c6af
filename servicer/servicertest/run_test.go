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

// recorder records the calls of Run.
type recorder struct {
	testing.TB

	errors, fatals, logs []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatals = append(r.fatals, fmt.Sprintf(format, args...))
}

func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func TestRunReportsEveryViolationOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target := newModel(t, "list omits a name")
		target.HTTP = ""
		r := &recorder{TB: t}
		servicertest.Run(r, target)
		if len(r.errors) != 1 || len(r.fatals) != 0 || !strings.Contains(r.errors[0], `list.names`) ||
			!strings.Contains(r.errors[0], `"shop.v1.Orders" in the list`) || !strings.Contains(r.errors[0], "health.proto") {
			t.Errorf("got errors %q, %q", r.errors, r.fatals)
		}
		if logs := strings.Join(r.logs, "\n"); !strings.Contains(logs, "skipped: http.ready") || !strings.Contains(logs, "rules passed") {
			t.Errorf("logged %q", r.logs)
		}
	})
}

func TestSkippedRulesAreNotTested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target := newModel(t, "list omits a name")
		target.Skip = []string{"list.names"}
		r := &recorder{TB: t}
		servicertest.Run(r, target)
		if len(r.errors) != 0 || !strings.Contains(strings.Join(r.logs, "\n"), "skipped: list.names") {
			t.Errorf("got errors %q, logs %q", r.errors, r.logs)
		}
	})
}

func TestCheckReportsAllMistakesOfTheTarget(t *testing.T) {
	t.Parallel()
	_, err := servicertest.Check(t.Context(), servicertest.Target{
		Names: []string{"servicertest.v1.Unknown"}, HTTP: "localhost:8080", DrainDelay: time.Second,
		Timeout: -1, Skip: []string{"list.nmaes"},
	})
	for _, field := range []string{"Conn", "Names", "HTTP", "DrainDelay", "Timeout", "Skip"} {
		if err == nil || !strings.Contains(err.Error(), "servicertest: "+field) {
			t.Errorf("%s missing in %v", field, err)
		}
	}
	r := &recorder{TB: t}
	servicertest.Run(r, servicertest.Target{})
	if len(r.fatals) != 1 || len(r.errors) != 0 {
		t.Errorf("a target without a connection: %q, %q", r.fatals, r.errors)
	}
}

// TestInterruptedCheckReturnsNoResult cancels the context at many moments.
func TestInterruptedCheckReturnsNoResult(t *testing.T) {
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
				t.Errorf("returned %v late", time.Since(began)-after)
			}
			time.Sleep(delay + time.Second) // the model may be draining
		})
	}
}

func TestCommandReturnsTheExitCode(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{"exit 0": 0, "exit 4": 4, "kill -9 $$": -1} {
		if got := servicertest.Command("sh", "-c", script)(t.Context()); got != want {
			t.Errorf("%s: %d, want %d", script, got, want)
		}
	}
	if got := servicertest.Command("/nowhere/program")(t.Context()); got != -1 {
		t.Errorf("missing program: got %d", got)
	}
}
