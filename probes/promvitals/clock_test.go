package promvitals_test

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/internal/clocktest"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// TestTimesDoNotLieAheadAfterClockWasSetBack collects what was stored before: Prometheus refuses a creation in the future,
// and an alert on the age of the last success would not fire for an hour.
func TestTimesDoNotLieAheadAfterClockWasSetBack(t *testing.T) {
	recorder, r := traffic(t, map[codes.Code]int{codes.OK: 1}), report()
	r.Started, r.Checks[0].LastSuccess = time.Now(), time.Now()
	clocktest.Set(recorder, -time.Hour)
	clocktest.Set(r, -time.Hour)
	page, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{r}, Recorder: recorder}))
	if err != nil {
		t.Fatal(err)
	}
	families, limit := decoded(t, page), time.Now().Add(time.Minute)
	for _, name := range []string{"health_checks_total", "grpc_server_started_total"} {
		if at := families[name].GetMetric()[0].GetCounter().GetCreatedTimestamp().AsTime(); at.After(limit) {
			t.Errorf("%s was created at %v", name, at)
		}
	}
	last := families["health_check_last_success_timestamp_seconds"].GetMetric()[0].GetGauge().GetValue()
	if last > float64(limit.Unix()) || last < float64(limit.Add(-time.Hour).Unix()) {
		t.Errorf("the last success was at %v", last)
	}
}
