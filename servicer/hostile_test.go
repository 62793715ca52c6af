package servicer_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// A dependency that answers with nonsense decides what an error says, and how much. The report must be sent all the same.
func TestHostileErrorsDoNotBreakReport(t *testing.T) {
	for name, text := range map[string]string{
		"no UTF-8":  "refused: \xff\xfe\x80",
		"ten MiB":   strings.Repeat("no", 5<<20),
		"both":      strings.Repeat("\xff", 10<<20),
		"zeros":     strings.Repeat("\x00", 100),
		"half rune": strings.Repeat("€", 3000)[:4097],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var database dependency
				database.fail(errors.New(text))
				c := newChecker(t,
					checker.Check{Name: "database", Run: database.ping},
					checker.Check{Name: "cpu_usage", Kind: checker.Resource, Measure: func(context.Context) (checker.Measurement, error) {
						return checker.Measurement{}, errors.New(text)
					}},
					checker.Check{Name: "loop", Kind: checker.Process, Run: func(context.Context) error { panic(text) }},
				)
				s := newServer(t, servicer.Config{
					Checker: c, Details: servicer.Details{Policy: servicer.DetailsAlways}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
				})
				stopChecks, stop := run(t, c.Run), run(t, s.Run)
				client, hangUp := reporting(t, overMemory(t), s)
				time.Sleep(time.Minute)
				r, err := client.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{})
				if err != nil {
					t.Fatal(err)
				}
				detail := r.GetMetrics()["dependency_database"].GetDetail()
				if detail == "" || proto.Size(r) > 64<<10 {
					t.Errorf("the report has %d bytes, the detail %d", proto.Size(r), len(detail))
				}
				hangUp()
				stop()
				stopChecks()
				if log.Len() > 128<<10 {
					t.Errorf("the log has %d bytes", log.Len())
				}
			})
		})
	}
}

// What the application says by mistake must not spoil it either.
func TestHostileTextsDoNotBreakReport(t *testing.T) {
	t.Parallel()
	s := newServer(t, servicer.Config{Version: "v1\xff"})
	s.SetServingStatus("shop\xff", serving)
	if err := s.SetMaintenance("", strings.Repeat("x", 1025), time.Hour); err == nil {
		t.Error("a reason of more than 1 KiB is accepted")
	}
	if err := s.SetMaintenance("", strings.Repeat("x", 1024), time.Hour); err != nil {
		t.Error(err)
	}
	client, hangUp := reporting(t, overTCP(t), s)
	defer hangUp()
	if _, err := client.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{}); err != nil {
		t.Error(err)
	}
}
