package vitals_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/probes/promvitals"
)

func TestMetricsHasTheApplicationsCollectors(t *testing.T) {
	t.Parallel()
	orders := prometheus.NewCounter(prometheus.CounterOpts{Name: "shop_orders_total", Help: "Orders."})
	health, err := vitals.New(vitals.Config{Prometheus: true, Metrics: promvitals.Config{Collectors: []prometheus.Collector{orders}}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	health.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if page := w.Body.String(); !strings.Contains(page, "\nshop_orders_total 0") || !strings.Contains(page, "\nhealth_status{") {
		t.Errorf("status %d with the page %s", w.Code, page)
	}
	if _, err := vitals.New(vitals.Config{Prometheus: true, Metrics: promvitals.Config{Collectors: []prometheus.Collector{orders, orders}}}); err == nil ||
		!strings.Contains(err.Error(), "Metrics.Collectors: promvitals: collector 1") {
		t.Errorf("the same collector twice: %v", err)
	}
}
