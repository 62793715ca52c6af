package asynclog_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/logtest"
)

func TestHeldRecordsAreCompletedByAnotherComponent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, log := newLogger(func(string) {})
		checks := asynclog.New(slog.New(l.Deferred().Handler())) // as a component does with the logger in its Config
		checks.Log(slog.LevelWarn, "database is unavailable", slog.String("check", "database"), slog.Int("previous_for", 1))
		l.Log(slog.LevelInfo, "meanwhile")
		checks.Log(slog.LevelInfo, "too early")
		held := l.Take(func(rest []asynclog.Held) bool { return rest[0].Message != "too early" })
		if len(held) != 1 || held[0].Attr("check").String() != "database" || held[0].Attr("none").Any() != nil {
			t.Fatalf("held %v", held)
		}
		l.LogHeld(held[0].With(slog.LevelInfo, "server is not serving", slog.Int("previous_for", 2)))
		l.Flush(time.Second)
		if text := log.String(); !strings.Contains(text, `level=WARN msg="server is not serving" vitals.logger=plugin.health vitals.previous_for=2 vitals.check=database`+"\n") || strings.Count(text, "\n") != 3 {
			t.Errorf("the log is %s", text)
		}
	})
}

// Where nothing completes them, records are late, but not lost.
func TestHeldRecordsAreWrittenAfterASecondOrAtFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		l := asynclog.New(slog.New(slog.NewTextHandler(&log, nil)))
		checks := l.Deferred()
		for i := range 3 {
			checks.Log(slog.LevelInfo, "one")
			time.Sleep(time.Second - 1)
			checks.Log(slog.LevelInfo, "two")
			if strings.Count(log.String(), "\n") != 2*i {
				t.Error("written at once")
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if text := log.String(); strings.Count(text, "\n") != 2*i+2 || strings.Index(text, "one") > strings.Index(text, "two") {
				t.Errorf("the log is %s", text)
			}
		}
		checks.Log(slog.LevelInfo, "three")
		if !checks.Flush(time.Second) || !strings.Contains(log.String(), "three") || len(l.Take(func([]asynclog.Held) bool { return true })) != 0 {
			t.Errorf("the log is %s", log.String())
		}
	})
}

// Names of attributes are unique in a line, whatever the application's logger has.
func TestNoKeyIsWrittenTwice(t *testing.T) {
	var log strings.Builder
	app := slog.New(slog.NewJSONHandler(&log, nil)).With("logger", "app", "check", "smoke", "error", "none")
	l := asynclog.New(app)
	l.Log(slog.LevelInfo, "text", slog.String("check", "database"), slog.String("error", "refused"))
	l.Flush(time.Minute)
	want := `"msg":"text","logger":"app","check":"smoke","error":"none","vitals":{"logger":"plugin.health","check":"database","error":"refused"}}` + "\n"
	if !strings.HasSuffix(log.String(), want) {
		t.Errorf("got %s, want %s", log.String(), want)
	}
}
