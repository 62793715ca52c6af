package promvitals_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/probes/promvitals"
)

// stuck is a scraper that never reads: what is written to it blocks until the test ends.
type stuck struct {
	http.ResponseWriter

	released chan struct{}
}

func (s stuck) Write(p []byte) (int, error) { <-s.released; return len(p), nil }

// A scraper that stops reading must not delay other scrapes, nor freeze their metrics.
func TestStuckScraperDoesNotDelayOthers(t *testing.T) {
	for _, accept := range []string{text, openMetrics, protobuf} {
		synctest.Test(t, func(t *testing.T) {
			recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
			page, err := promvitals.Handler(collector(t, promvitals.Config{Recorder: recorder}))
			if err != nil {
				t.Fatal(err)
			}
			reader := stuck{httptest.NewRecorder(), make(chan struct{})}
			defer close(reader.released)
			go func() {
				request := httptest.NewRequest("GET", "/metrics", nil)
				request.Header.Set("Accept", accept)
				page.ServeHTTP(reader, request)
			}()
			synctest.Wait()
			serve(t, recorder, codes.OK)
			if got := get(t, page, text).Body.String(); !strings.Contains(got, "grpc_server_started_total{grpc_method=\"Place\",grpc_service=\"shop.v1.Orders\",grpc_type=\"unary\"} 2\n") {
				t.Errorf("the call that ended after a stuck scrape (%s) is not on the page", accept)
			}
		})
	}
}

// Stuck scrapers are bounded: when all places are taken, more scrapes are answered 503, and 200 again afterwards.
func TestRequestsInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{report()}}))
		if err != nil {
			t.Fatal(err)
		}
		released := make(chan struct{})
		for range 39 {
			go page.ServeHTTP(stuck{httptest.NewRecorder(), released}, httptest.NewRequest("GET", "/metrics", nil))
		}
		synctest.Wait()
		get(t, page, text)
		go page.ServeHTTP(stuck{httptest.NewRecorder(), released}, httptest.NewRequest("GET", "/metrics", nil))
		synctest.Wait()
		response := httptest.NewRecorder()
		page.ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
		if response.Code != http.StatusServiceUnavailable {
			t.Errorf("the scrape after 40 stuck ones is answered %d, want 503", response.Code)
		}
		close(released)
		synctest.Wait()
		get(t, page, text)
	})
}
