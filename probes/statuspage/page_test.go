package statuspage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/probes/statuspage"
	"github.com/vitals-go/vitals/servicer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNewRequiresASource(t *testing.T) {
	t.Parallel()
	if _, err := statuspage.New(statuspage.Config{}); err == nil || !strings.Contains(err.Error(), "Config.Source") {
		t.Errorf("error %v does not name the field", err)
	}
}

// The tests of the page's content are those of probes.Handler, which serves it at /health.
func TestPageServesHTMLAndEventsOnOnePath(t *testing.T) {
	t.Parallel()
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := statuspage.New(statuspage.Config{Source: health})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // ends the event stream at once
	for accept, want := range map[string]string{"text/html": "text/html; charset=utf-8", "text/event-stream": "text/event-stream"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/status", nil)
		r.Header.Set("Accept", accept)
		page.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != want {
			t.Errorf("Accept %s: status %d, Content-Type %q", accept, w.Code, got)
		}
	}
}
