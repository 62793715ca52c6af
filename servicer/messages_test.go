package servicer

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

func TestPanicWhileBuildingResponseIsInternal(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, err := New(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.publication.store(&Report{messages: &messages{
		public: func() *vitalspb.HealthReportResponse { panic(errSecret) },
	}})
	_, err = s.ReportServer().GetHealthReport(context.Background(), &vitalspb.HealthReportRequest{})
	if status.Code(err) != codes.Internal || status.Convert(err).Message() != "the health report could not be built" {
		t.Errorf("err = %v", err)
	}
	s.log.Flush(time.Minute)
	if !strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log does not say why: %s", log.String())
	}
}

func TestClientIntervalIsBounded(t *testing.T) {
	t.Parallel()
	zero := 0.0
	for seconds, want := range map[float64]time.Duration{
		0: time.Second, -1: time.Second, 0.0001: 100 * time.Millisecond, 0.5: 500 * time.Millisecond, 7: 7 * time.Second,
		1e300: time.Minute, 1 / zero: time.Minute,
	} {
		if got := interval(&vitalspb.WatchHealthReportRequest{MinIntervalSeconds: seconds}); got != want {
			t.Errorf("%v s: %v, want %v", seconds, got, want)
		}
	}
	if got := interval(&vitalspb.WatchHealthReportRequest{MinIntervalSeconds: zero / zero}); got != time.Second {
		t.Errorf("NaN: %v", got)
	}
	if got := interval(nil); got != time.Second {
		t.Errorf("nil: %v", got)
	}
}
