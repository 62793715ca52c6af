package servicer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// FuzzReport puts arbitrary text wherever a user, an operator or a driver can put one, and reads it back from the
// report's message and from the log.
func FuzzReport(f *testing.F) {
	for _, text := range []string{
		"", "plain", "two\nlines", "\x00\x1b[31m", "nobody's \xff bytes", "M\xfcller", "\u2028\u202e", `"}`, "ключ=значение", "\xed\xa0\x80",
		strings.Repeat("long ", 1000),
	} {
		f.Add(text, text, text)
		f.Add("the password is wrong for M\xfcller", "database", text)
	}
	f.Fuzz(func(t *testing.T, cause, name, reason string) {
		reason = reason[:min(len(reason), maxReason)]
		if strings.TrimSpace(reason) == "" {
			reason = "because"
		}
		var log bytes.Buffer
		s, err := New(Config{
			Breakers: []breaker.SnapshotSource{odd{name, cause}}, Version: reason, Details: Details{Policy: DetailsAlways},
			Logger: slog.New(slog.NewJSONHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		database := result("database", checker.Healthy, checker.ReasonOK, checker.Readiness)
		s.update(func(in *inputs) { in.checks = lasting(database) })
		s.SetServingStatus(name, notServing)
		failed := *database
		failed.Status, failed.Reason, failed.Err = checker.Critical, checker.ReasonError, errors.New(cause)
		failed.Measurement = checker.Measurement{Value: 1, Unit: name, Source: reason}
		failed.Message += " " + reason
		s.update(func(in *inputs) { in.checks = lasting(&failed) })
		if err := s.SetMaintenance("database", reason, time.Hour); err != nil {
			t.Fatal(err)
		}
		readBack(t, s, cause, reason)
		list, err := s.List(t.Context(), nil)
		if _, marshal := proto.Marshal(list); err != nil || marshal != nil {
			t.Errorf("List: %v, %v", err, marshal)
		}
		s.log.Flush(time.Minute)
		for line := range bytes.Lines(log.Bytes()) {
			if !json.Valid(line) {
				t.Errorf("the log holds %q", line)
			}
		}
	})
}

// odd is a breaker of an odd name, opened by an odd cause.
type odd struct{ name, cause string }

func (o odd) Snapshots() []breaker.Snapshot {
	return []breaker.Snapshot{{Name: o.name, State: breaker.Open, LastFailure: errors.New(o.cause)}}
}

func (odd) Changed() <-chan struct{} { return nil }

// readBack gets the report as a caller that sees details.
func readBack(t *testing.T, s *Server, cause, reason string) {
	t.Helper()
	response, err := s.ReportServer().GetHealthReport(context.Background(), &vitalspb.HealthReportRequest{IncludeMethods: true})
	if err != nil {
		t.Fatal(err)
	}
	text, err := proto.Marshal(response)
	if err != nil {
		t.Fatalf("the report cannot be sent: %v", err)
	}
	var got vitalspb.HealthReportResponse
	if err := proto.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	m := got.Metrics["dependency_database"]
	if m.GetStatus() != "critical" || m.GetDetail() != errtext.Cut(cause) || !same(got.Version, reason) {
		t.Errorf("the report says %v of version %q", m, got.Version)
	}
	if len(got.Maintenance) != 1 || !same(got.Maintenance[0].Reason, reason) {
		t.Errorf("the report says %v", got.Maintenance)
	}
	if len(got.Names) != len(s.Report().Names) || len(got.Transitions) != len(s.Report().Transitions) || len(got.Transitions) == 0 {
		t.Errorf("%d names and %d transitions are sent", len(got.Names), len(got.Transitions))
	}
	for _, n := range s.Report().Names {
		if (n.explain() == "nothing keeps it from serving") != (n.Status == serving) {
			t.Errorf("%q is %v: %s", n.Name, n.Status, n.explain())
		}
	}
}

// same reports whether sent is what text is on the wire: protobuf's strings are UTF-8.
func same(sent, text string) bool {
	return sent == text || !utf8.ValidString(text) && sent == strings.ToValidUTF8(text, "\uFFFD")
}
