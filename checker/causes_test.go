package checker_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
)

// journal is a log that is read in parts.
type journal struct {
	logtest.Log

	read int
}

// lines returns the lines of a level since the last call.
func (j *journal) lines(level slog.Level) (found []string) {
	text := j.String()[j.read:]
	j.read += len(text)
	for line := range strings.Lines(text) {
		if strings.Contains(line, "level="+level.String()) {
			found = append(found, line)
		}
	}
	return found
}

func failsIf(down ...*atomic.Bool) func(context.Context) error {
	return func(context.Context) error {
		for _, d := range down {
			if d.Load() {
				return errDown
			}
		}
		return nil
	}
}

func wantCause(t *testing.T, c *checker.Checker, want map[string]string) {
	t.Helper()
	synctest.Wait()
	for name, cause := range want {
		if r := result(t, c, name); r.CausedBy != cause || strings.Contains(r.Message, "caused by "+cause) != (cause != "") {
			t.Errorf("%s is %v, caused by %q (%s), want by %q", name, r.Status, r.CausedBy, r.Message, cause)
		}
	}
}

func TestOneCauseIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		var database, own atomic.Bool
		checks := []checker.Check{{Name: "database", Run: failsIf(&database), Jitter: -1, InitialDelay: time.Second}}
		for i, name := range []string{"carts", "orders", "prices", "users"} { // these fail first
			checks = append(checks, checker.Check{
				Name: name, DependsOn: []string{"database"}, Run: failsIf(&database), Jitter: -1, InitialDelay: time.Duration(i) * 100 * time.Millisecond,
			})
		}
		checks[4].DependsOn, checks[2].Run = []string{"orders"}, failsIf(&database, &own)
		c, _ := start(t, checker.Config{Checks: checks, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		time.Sleep(29 * time.Second)
		synctest.Wait()
		log.lines(slog.LevelError)

		database.Store(true)
		time.Sleep(time.Second) // carts has failed, and database has run at once
		wantCause(t, c, map[string]string{"database": "", "carts": "database"})
		expect(t, result(t, c, "carts"), checker.Critical, checker.ReasonError, "unavailable")
		time.Sleep(time.Second)
		wantCause(t, c, map[string]string{"database": "", "carts": "database", "orders": "database", "prices": "database", "users": "database"})
		time.Sleep(8 * time.Minute)
		errors := log.lines(slog.LevelError)
		for _, line := range errors {
			if !strings.Contains(line, "check=database") {
				t.Errorf("a dependant is logged: %s", line)
			}
		}
		if len(errors) != 2 { // the transition and a reminder
			t.Errorf("%d errors in the log, want 2:\n%s", len(errors), strings.Join(errors, ""))
		}

		database.Store(false)
		own.Store(true)
		time.Sleep(5 * time.Second)
		wantCause(t, c, map[string]string{"database": "", "carts": "", "orders": "", "prices": "", "users": ""})
		expect(t, result(t, c, "carts"), checker.Healthy, checker.ReasonOK, "available")
		expect(t, result(t, c, "orders"), checker.Critical, checker.ReasonError, "unavailable")
		if errors := log.lines(slog.LevelError); len(errors) != 1 || !strings.Contains(errors[0], "check=orders") {
			t.Errorf("the failure of orders alone is not logged once: %q", errors)
		}
		time.Sleep(2 * time.Minute)
		if errors := log.lines(slog.LevelError); len(errors) != 0 {
			t.Errorf("the failure of orders is logged again: %q", errors)
		}
	})
}

// A check that fails while those that it depends on work is a failure of its own.
func TestFailureWithoutACause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		var orders atomic.Bool
		var runs atomic.Int32
		c, _ := start(t, checker.Config{
			Checks: []checker.Check{
				{Name: "database", Run: func(context.Context) error { runs.Add(1); time.Sleep(time.Second); return nil }, Jitter: -1, InitialDelay: 10 * time.Second},
				{Name: "import", TTL: time.Hour},
				{Name: "orders", DependsOn: []string{"database", "import"}, Run: failsIf(&orders), Jitter: -1},
			},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		time.Sleep(29 * time.Second)
		orders.Store(true)
		time.Sleep(time.Second)
		wantCause(t, c, map[string]string{"orders": "database"}) // which runs
		if errors := log.lines(slog.LevelError); len(errors) != 0 {
			t.Errorf("logged before database has run: %q", errors)
		}
		time.Sleep(1001 * time.Millisecond)
		wantCause(t, c, map[string]string{"orders": ""})
		if errors := log.lines(slog.LevelError); len(errors) != 1 {
			t.Errorf("logged %q, want one line", errors)
		}
		time.Sleep(28 * time.Second)
		if n := runs.Load(); n != 2 {
			t.Errorf("database ran %d times within a minute, want twice", n)
		}
		if err := c.Push("import", checker.Outcome{Err: errDown}); err != nil {
			t.Error(err)
		}
		wantCause(t, c, map[string]string{"orders": "import"})
		c.Remove("import")
		time.Sleep(1100 * time.Millisecond) // database runs again
		wantCause(t, c, map[string]string{"orders": ""})
	})
}

func TestDependsOnMistakes(t *testing.T) {
	depends := func(name string, on ...string) checker.Check {
		return checker.Check{Name: name, Run: pass, DependsOn: on}
	}
	_, err := checker.New(checker.Config{Checks: []checker.Check{
		depends("a", "b"), depends("b", "c"), depends("c", "a"), depends("d", "d"), depends("e", "nothing"), depends("f", "a"),
	}})
	for _, want := range []string{
		`check "a": DependsOn: "b" depends on it`, `check "b": DependsOn: "c"`, `check "c": DependsOn: "a"`, `check "d": DependsOn: "d"`,
		`check "e": DependsOn: unknown check "nothing"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	c, err := checker.New(checker.Config{Checks: []checker.Check{depends("a", "b"), depends("b")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Replace(depends("b", "a")); err == nil {
		t.Error("Replace accepts a cycle")
	}
	c.Remove("b")
	if err := c.Add(depends("b", "a")); err == nil {
		t.Error("Add accepts a cycle")
	}
	if err := c.Add(depends("b")); err != nil {
		t.Error(err)
	}
}
