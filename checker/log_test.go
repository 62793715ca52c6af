package checker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// entries parses a JSON log.
func entries(t *testing.T, log *bytes.Buffer) (all []map[string]any) {
	t.Helper()
	for decoder := json.NewDecoder(log); decoder.More(); {
		var e map[string]any
		if err := decoder.Decode(&e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestTransitionsAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var failing atomic.Bool
		_, stop := start(t, checker.Config{
			Logger: slog.New(slog.NewJSONHandler(&log, nil)),
			Checks: []checker.Check{{Name: "db", Interval: time.Second, Run: func(context.Context) error {
				if failing.Load() {
					return errors.New(secret)
				}
				return nil
			}}},
		})
		time.Sleep(11 * time.Minute) // nothing reminds of health
		failing.Store(true)
		time.Sleep(11 * time.Minute)
		failing.Store(false)
		time.Sleep(11 * time.Minute)
		stop()
		want := []string{"ERROR critical", "ERROR critical reminder", "ERROR critical reminder", "INFO healthy"}
		got := entries(t, &log)
		if len(got) != len(want) {
			t.Fatalf("%d lines, want %d: %v", len(got), len(want), got)
		}
		for i, e := range got {
			group, _ := e["vitals"].(map[string]any)
			text := e["level"].(string) + " " + group["status"].(string)
			if group["reminder"] == true {
				text += " reminder"
			}
			if text != want[i] || group["logger"] != "plugin.health" || group["check"] != "db" {
				t.Errorf("line %d: %v, want %s", i, e, want[i])
			}
		}
		if group := got[0]["vitals"].(map[string]any); group["error"] != secret || group["was"] != "healthy" || group["previous_for"] == nil {
			t.Errorf("the cause is missing: %v", group)
		}
		if got[0]["msg"] != "Dependency db is unavailable" {
			t.Errorf("message %q", got[0]["msg"])
		}
	})
}

func TestHalfOpenProbesAreOneTransition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		runs := 0
		c, stop := start(t, checker.Config{
			Logger: slog.New(slog.NewJSONHandler(&log, nil)),
			Checks: []checker.Check{{Name: "db", Interval: time.Second, Run: func(context.Context) error {
				if runs++; runs%3 == 0 {
					return errors.New("refused")
				}
				return circuit{open: true}
			}}},
		})
		began := time.Now()
		time.Sleep(time.Minute)
		if since := result(t, c, "db").Since; !since.Equal(began) {
			t.Errorf("critical since %v, want %v", since, began)
		}
		stop()
		if got := entries(t, &log); len(got) != 1 {
			t.Errorf("%d lines about one outage: %v", len(got), got)
		}
	})
}

func TestFirstHealthyResourceIsLoggedAtDebug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		level := 10.0
		_, stop := start(t, checker.Config{
			Logger: slog.New(slog.NewJSONHandler(&log, nil)),
			Checks: []checker.Check{{
				Name: "cpu_usage", Kind: checker.Resource, Interval: time.Second, Warning: checker.Above(64), Critical: checker.Above(80),
				Measure: func(context.Context) (checker.Measurement, error) {
					defer func() { level += 20 }()
					return checker.Measurement{Value: level, Unit: "%"}, nil
				},
			}},
		})
		time.Sleep(20 * time.Second)
		stop()
		got := entries(t, &log)
		if len(got) == 0 || got[0]["level"] != "WARN" {
			t.Errorf("the log is %v, want it to begin with the warning", got)
		}
	})
}

func TestStackOfPanicIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c, stop := start(t, checker.Config{
			Logger: slog.New(slog.NewJSONHandler(&log, nil)),
			Checks: []checker.Check{{Name: "db", Run: panics}},
		})
		time.Sleep(16 * time.Minute)
		r := result(t, c, "db")
		if strings.Contains(r.Err.Error()+r.Message, "goroutine") {
			t.Error("the stack is in the result")
		}
		stop()
		if n := strings.Count(log.String(), "checker_test.panics"); n != 1 {
			t.Errorf("the panicking function is logged %d times, want 1", n)
		}
		if n := strings.Count(log.String(), `"reminder":true`); n != 3 {
			t.Errorf("%d reminders in 16 minutes, want 3", n)
		}
	})
}

func panics(context.Context) error { panic("at the disco") }

// blocked is a log handler that takes nothing until it is released.
type blocked struct {
	slog.Handler
	release chan struct{}
}

func (b blocked) Handle(ctx context.Context, r slog.Record) error {
	<-b.release
	return b.Handler.Handle(ctx, r)
}

func (b blocked) WithGroup(g string) slog.Handler { return blocked{b.Handler.WithGroup(g), b.release} }

func (b blocked) WithAttrs(a []slog.Attr) slog.Handler {
	return blocked{b.Handler.WithAttrs(a), b.release}
}

// angry panics with each second line.
type angry struct {
	slog.Handler

	lines *atomic.Int64
}

func (a angry) Handle(ctx context.Context, r slog.Record) error {
	if a.lines.Add(1)%2 == 0 {
		panic("disk full")
	}
	return a.Handler.Handle(ctx, r)
}

func (a angry) WithGroup(g string) slog.Handler { return angry{a.Handler.WithGroup(g), a.lines} }

func (a angry) WithAttrs(attrs []slog.Attr) slog.Handler {
	return angry{a.Handler.WithAttrs(attrs), a.lines}
}

func TestLogHandlerThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var runs atomic.Int64
		_, stop := start(t, checker.Config{
			Logger: slog.New(angry{slog.NewJSONHandler(&log, nil), new(atomic.Int64)}),
			Checks: []checker.Check{{Name: "db", Interval: time.Second, Jitter: -1, Run: func(context.Context) error {
				if runs.Add(1)%2 == 1 {
					return errors.New("down")
				}
				return nil
			}}},
		})
		time.Sleep(5*time.Second - 1)
		stop()
		got := entries(t, &log)
		if runs.Load() != 5 || len(got) != 3 {
			t.Fatalf("%d runs, %d lines, want 5 and 3", runs.Load(), len(got))
		}
		for i, want := range []any{nil, 1.0, 1.0} {
			group, _ := got[i]["vitals"].(map[string]any)
			if group["dropped"] != want {
				t.Errorf("line %d counts %v dropped before it, want %v", i, group["dropped"], want)
			}
		}
	})
}

func TestBlockedLogHandlerDelaysNoCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		release := make(chan struct{})
		var flip atomic.Int64
		c, stop := start(t, checker.Config{
			Logger: slog.New(blocked{slog.NewJSONHandler(&log, nil), release}),
			Checks: []checker.Check{{Name: "db", Interval: time.Second, Jitter: -1, Run: func(context.Context) error {
				if flip.Add(1)%2 == 0 {
					return errors.New("down")
				}
				return nil
			}}},
		})
		time.Sleep(time.Hour - 1)
		if n := result(t, c, "db").Runs; n.ByStatus(checker.Healthy) != 1800 || n.ByStatus(checker.Critical) != 1800 {
			t.Errorf("runs %v", n)
		}
		close(release)
		stop()
		if !strings.Contains(log.String(), `"dropped":`) {
			t.Error("what was dropped is not counted")
		}
		if lines := entries(t, &log); len(lines) < 1024 || len(lines) > 1100 {
			t.Errorf("%d lines, want those that fitted into the queue", len(lines))
		}
	})
}

func TestBlockedLogHandlerDoesNotKeepRunFromReturning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		_, stop := start(t, checker.Config{
			Logger: slog.New(blocked{slog.NewTextHandler(new(bytes.Buffer), nil), release}),
			Checks: []checker.Check{{Name: "db", Run: func(context.Context) error { return errors.New("down") }}},
		})
		time.Sleep(time.Minute)
		began := time.Now()
		stop()
		if took := time.Since(began); took != time.Second {
			t.Errorf("Run took %v to end", took)
		}
		close(release)
	})
}
