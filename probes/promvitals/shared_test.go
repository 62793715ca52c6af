package promvitals_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/probes/promvitals"
)

// stuck is a scraper that never reads: what is written to it blocks until the test ends.
type stuck struct {
	http.ResponseWriter

	released chan struct{}
}

func (s stuck) Write(p []byte) (int, error) { <-s.released; return len(p), nil }

// A scraper that was stopped in the middle of a page must not keep the others at what was true when it came.
func TestStuckScraperLeavesThePageFresh(t *testing.T) {
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

// late is a collector that takes a second.
type late struct{ asked atomic.Int64 }

func (*late) Describe(chan<- *prometheus.Desc) {}

func (l *late) Collect(metrics chan<- prometheus.Metric) {
	asked := float64(l.asked.Add(1))
	time.Sleep(time.Second)
	metrics <- prometheus.MustNewConstMetric(prometheus.NewDesc("late_total", "Of somebody else.", nil, nil), prometheus.CounterValue, asked)
}

func TestScrapesShareWhatOneCollects(t *testing.T) {
	for format, accept := range allFormats {
		synctest.Test(t, func(t *testing.T) {
			var l late
			page, err := promvitals.Handler(&l)
			if err != nil {
				t.Fatal(err)
			}
			var scraping sync.WaitGroup
			for range 10 {
				scraping.Go(func() {
					if got := get(t, page, accept).Body.String(); accept != protobuf && !strings.Contains(got, "\nlate_total 1") {
						t.Errorf("%s: %s", format, got)
					}
				})
				time.Sleep(50 * time.Millisecond)
			}
			scraping.Wait()
			if got := l.asked.Load(); got != 1 {
				t.Errorf("%s: asked %d times while one asked", format, got)
			}
		})
	}
}
