package vitals_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"
	"time"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/clocktest"
)

// used returns a Health that has ended, after its parts have stored their times.
func used(t *testing.T) *world {
	t.Helper()
	guard, err := breaker.New(breaker.Config{Name: "payments"})
	if err != nil {
		t.Fatal(err)
	}
	w := serve(t, func(cfg *vitals.Config) {
		cfg.Breakers = []breaker.SnapshotSource{guard}
		cfg.Prometheus, cfg.LoadReports = true, true
		cfg.Recorder.Exemplar = func(context.Context) map[string]string { return map[string]string{"trace_id": "1"} }
	})
	w.answers(t, "/ready", 200)
	for range 5 {
		_, _ = breaker.Do(t.Context(), guard, func(context.Context) (int, error) { return 0, errors.New("refused") })
	}
	if _, err := testpb.NewTestServiceClient(w.conn).EmptyCall(t.Context(), new(testpb.Empty)); err != nil {
		t.Fatal(err)
	}
	if err := w.Server().SetMaintenance("grpc.testing.TestService", "moving", 3*time.Hour); err != nil {
		t.Fatal(err)
	}
	w.get(t, "/health")
	w.end(t)
	return w
}

// TestStoredTimesHaveMonotonicReading looks at every field of every component: a time that has lost its monotonic reading, as
// by UTC or Round(0), makes the wall clock decide.
func TestStoredTimesHaveMonotonicReading(t *testing.T) {
	w := used(t)
	if found := clocktest.Stripped(w.Health); len(found) > 0 {
		t.Errorf("without: %v", found)
	}
	report := w.Report()
	if found := clocktest.Stripped(report); len(found) > 0 {
		t.Errorf("without: %v", found)
	}
	exemplar := func(m interceptor.Method) bool { return len(m.Exemplars) > 0 }
	if !slices.ContainsFunc(w.Recorder().Server().Methods, exemplar) || len(report.Transitions) == 0 || len(report.Breakers) != 1 {
		t.Error("the process has no exemplar, transition or breaker to look at")
	}
}

// TestWallClockSetBack sets it back by an hour after all times have been stored.
func TestWallClockSetBack(t *testing.T) {
	w := used(t)
	uptime := time.Since(w.Report().Started)
	clocktest.Set(w.Health, -time.Hour)
	time.Sleep(1100 * time.Millisecond) // responses are rendered once a second
	get := func(query string) string {
		response := httptest.NewRecorder()
		w.Handler().ServeHTTP(response, httptest.NewRequest("GET", query, nil))
		return response.Body.String()
	}
	var document struct {
		Uptime float64 `json:"uptime_seconds"`
	}
	if err := json.Unmarshal([]byte(get("/health?format=json")), &document); err != nil || document.Uptime < uptime.Seconds() {
		t.Errorf("uptime_seconds is %v, %v; want at least %v", document.Uptime, err, uptime.Seconds())
	}
	page := get("/health?format=html")
	stamps := regexp.MustCompile(`(?:data-now|datetime)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(stamps) < 8 {
		t.Fatalf("the page has %d times", len(stamps))
	}
	for _, stamp := range stamps {
		at, err := time.Parse(time.RFC3339Nano, stamp[1])
		if ahead := time.Until(at); err != nil || ahead > time.Minute && (ahead < 179*time.Minute || ahead > 3*time.Hour) {
			t.Errorf("the page has the time %v, %v, which is %v ahead", at, err, ahead)
		}
	}
}
