package asynclog_test

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/internal/asynclog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handler calls before with each record's message before it writes it.
type handler struct {
	slog.Handler

	before func(message string)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	h.before(r.Message)
	return h.Handler.Handle(ctx, r)
}

func newLogger(before func(string)) (*asynclog.Logger, *bytes.Buffer) {
	var log bytes.Buffer
	return asynclog.New(slog.New(handler{slog.NewTextHandler(&log, nil), before})), &log
}

func TestRecordsAreWrittenInOrderAndTheGoroutineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, log := newLogger(func(string) {})
		for _, message := range []string{"one", "two", "three"} {
			l.Log(slog.LevelInfo, message)
		}
		l.Log(slog.LevelDebug, "not enabled")
		synctest.Wait()
		text := log.String()
		if strings.Count(text, "\n") != 3 || strings.Index(text, "one") > strings.Index(text, "two") || strings.Index(text, "two") > strings.Index(text, "three") {
			t.Errorf("the log is %s", text)
		}
	})
}

func TestHandlerThatPanicsOrEndsItsGoroutineLosesOneRecord(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("disk full") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, log := newLogger(func(message string) {
					if message == "bad" {
						end()
					}
				})
				for _, message := range []string{"bad", "bad", "not enabled", "good", "better"} {
					level := slog.LevelInfo
					if message == "not enabled" { // so it cannot report what was lost
						level = slog.LevelDebug
					}
					l.Log(level, message)
				}
				if !l.Flush(time.Second) {
					t.Fatal("the Logger has not flushed")
				}
				if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "msg=good vitals.logger=plugin.health vitals.dropped=2") || strings.Count(text, "dropped") != 1 {
					t.Errorf("the log is %s", text)
				}
			})
		})
	}
}

func TestHandlerThatBlocksDropsWhatExceedsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l, log := newLogger(func(string) { <-release })
		l.Log(slog.LevelInfo, "first")
		synctest.Wait()
		for range asynclog.MaxPending + 5 {
			l.Log(slog.LevelInfo, "more")
		}
		began := time.Now()
		if l.Flush(time.Second) || time.Since(began) != time.Second {
			t.Errorf("Flush returned after %v", time.Since(began))
		}
		close(release)
		if !l.Flush(time.Second) {
			t.Error("the Logger has not flushed")
		}
		if n := strings.Count(log.String(), "\n"); n != asynclog.MaxPending+1 || strings.Count(log.String(), "dropped=5") != 1 {
			t.Errorf("%d records", n)
		}
	})
}
