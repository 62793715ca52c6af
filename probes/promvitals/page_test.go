package promvitals_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

var allFormats = map[string]string{"text": text, "OpenMetrics": openMetrics, "protobuf": protobuf}

// broken is a judge who panics.
type broken struct{}

func (broken) Report() *servicer.Report { panic("no report") }

func TestPanicCostsThePageItsOwnMetricsOnly(t *testing.T) {
	for format, accept := range allFormats {
		page, err := promvitals.Handler(collector(t, promvitals.Config{Health: broken{}}), stranger("shop_orders_total"))
		if err != nil {
			t.Fatal(err)
		}
		first, second := get(t, page, accept).Body.String(), get(t, page, text).Body.String()
		if !strings.Contains(first, "shop_orders_total") || strings.Contains(first, "health_phase") {
			t.Errorf("%s: %s", format, first)
		}
		if !strings.Contains(second, `promhttp_metric_handler_errors_total{cause="gathering"} 1`+"\n") {
			t.Errorf("a page in %s whose collector panicked is not counted on the next page: %s", format, second)
		}
	}
}

// stranger is a collector that does not say in advance what it has.
type stranger string

func (s stranger) Describe(chan<- *prometheus.Desc) {}

func (s stranger) Collect(metrics chan<- prometheus.Metric) {
	metrics <- prometheus.MustNewConstMetric(prometheus.NewDesc(string(s), "Of somebody else.", nil, nil), prometheus.CounterValue, 7)
}

func TestNobodyElseHasOurNames(t *testing.T) {
	described := prometheus.NewCounter(prometheus.CounterOpts{Name: "health_phase", Help: "Of somebody else."})
	if _, err := promvitals.Handler(collector(t, promvitals.Config{Health: told{report()}}), described); err == nil {
		t.Error("a collector with a name of ours was accepted")
	}
	page, err := promvitals.Handler(collector(t, promvitals.Config{Health: told{report()}}), stranger("health_phase"), stranger("shop_orders_total"))
	if err != nil {
		t.Fatal(err)
	}
	for _, accept := range []string{text, openMetrics} {
		got := get(t, page, accept).Body.String()
		if strings.Count(got, "# TYPE health_phase ") != 1 || strings.Contains(got, "health_phase 7") || !strings.Contains(got, "shop_orders_total 7") {
			t.Errorf("%s: %s", accept, got)
		}
	}
	if got := get(t, page, text).Body.String(); !strings.Contains(got, `promhttp_metric_handler_errors_total{cause="gathering"} 2`+"\n") {
		t.Errorf("what was left out is not counted: %s", got)
	}
}

// TestPageHasTheMetricsThatAreNamed compares with promhttp, whose parameter it is.
func TestPageHasTheMetricsThatAreNamed(t *testing.T) {
	c := collector(t, promvitals.Config{Health: told{report()}, Recorder: traffic(t, map[codes.Code]int{codes.OK: 1})})
	page, err := promvitals.Handler(c, stranger("shop_orders_total"))
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c, stranger("shop_orders_total"))
	theirs := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, DisableCompression: true})
	for _, query := range []string{
		"name[]=health_info", "name[]=shop_orders_total", "name[]=shop_orders_total&name[]=health_watch_streams",
		"name[]=grpc_client_started_total", "name[]=nobodys",
	} {
		for format, accept := range allFormats {
			request := httptest.NewRequest("GET", "/metrics?"+query, nil)
			request.Header.Set("Accept", accept)
			got, want := httptest.NewRecorder(), httptest.NewRecorder()
			page.ServeHTTP(got, request)
			theirs.ServeHTTP(want, request)
			if inLines(got.Body.String()) != inLines(want.Body.String()) || got.Code != want.Code || got.Header().Get("Content-Type") != want.Header().Get("Content-Type") {
				t.Errorf("%s of %s is %d %q, want %d %q", format, query, got.Code, got.Body, want.Code, want.Body)
			}
		}
	}
}

// inLines lets a page have its families in any order, as long as each is whole: here all have one sample.
func inLines(page string) string {
	const head = "# HELP "
	families := strings.Split(strings.TrimSuffix(page, "# EOF\n"), head)
	if len(families) == 3 && families[1] > families[2] {
		families[1], families[2] = families[2], families[1]
	}
	return strings.Join(families, head)
}

// Judge and recorder may have a Collector each, on one page.
func TestTwoCollectorsShareAPage(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	page, err := promvitals.Handler(collector(t, promvitals.Config{Recorder: recorder}), collector(t, promvitals.Config{Health: told{report()}}))
	if err != nil {
		t.Fatal(err)
	}
	for format, accept := range allFormats {
		for range 2 { // the second uses what the first left
			got := get(t, page, accept).Body.String()
			if !strings.Contains(got, "health_phase") || !strings.Contains(got, "grpc_server_started") {
				t.Errorf("%s: %s", format, got)
			}
		}
	}
	if _, err := promvitals.Handler(collector(t, promvitals.Config{Recorder: recorder}), collector(t, promvitals.Config{Recorder: recorder})); err == nil {
		t.Error("two collectors of one recorder were accepted")
	}
}
