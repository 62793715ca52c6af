package servicer_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// TestResourceNamesAreNotLogged expects no line about the names of resources from a start and a drain: no traffic
// depends on them, and the checker logs what they measure.
func TestResourceNamesAreNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		measure := func(context.Context) (checker.Measurement, error) { return checker.Measurement{Value: 1}, nil }
		c, err := checker.New(checker.Config{Checks: []checker.Check{
			{Name: "cpu_usage", Measure: measure, Kind: checker.Resource},
			{Name: "load", Measure: measure, Kind: checker.Resource},
			{Name: "database", Run: func(context.Context) error { return nil }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := servicer.New(servicer.Config{Checker: c, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		defer run(t, c.Run)()
		stop := run(t, s.Run)
		time.Sleep(time.Second)
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		if n := strings.Count(log.String(), "\n"); n != 3 {
			t.Errorf("%d lines from a start and a drain, want 3:\n%s", n, &log)
		}
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, `msg="cpu_usage `) || strings.Contains(line, `msg="load `) {
				t.Error("a needless line:", line)
			}
		}
		for _, want := range []string{`msg="server is serving"`, `msg="phase is draining"`, `msg="phase is stopped"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %s in the log:\n%s", want, &log)
			}
		}
	})
}
