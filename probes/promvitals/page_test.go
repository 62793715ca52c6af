package promvitals_test

import (
	"errors"
	"fmt"
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

// A gauge may be called as a part of a histogram is, which no registry minds, and no scraper understands.
func TestNobodyElseHasTheNamesOfOurBuckets(t *testing.T) {
	for _, name := range []string{"health_check_duration_seconds_count", "grpc_server_handling_seconds_sum", "grpc_client_handling_seconds_bucket"} {
		gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "Of somebody else."})
		page, err := promvitals.Handler(collector(t, promvitals.Config{Health: told{report()}, Recorder: traffic(t, nil)}), gauge)
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, page, text).Body.String(); strings.Contains(got, "# TYPE "+name) || !strings.Contains(got, "# TYPE "+name[:strings.LastIndexByte(name, '_')]) && !strings.Contains(name, "client") {
			t.Errorf("%s: %s", name, got)
		}
		if got := get(t, page, text).Body.String(); !strings.Contains(got, `promhttp_metric_handler_errors_total{cause="gathering"} 1`+"\n") {
			t.Errorf("%s was left out, and is not counted", name)
		}
	}
}

// Two of one name are one series too many: the page has the first, and says that something is wrong, as a registry does.
func TestSeriesThatComeTwiceAreThereOnce(t *testing.T) {
	for what, repeat := range map[string]func(*servicer.Report){
		"breaker": func(r *servicer.Report) { r.Breakers = append(r.Breakers, r.Breakers[0]) },
		"check":   func(r *servicer.Report) { r.Checks = append(r.Checks, r.Checks[0]) },
		"name":    func(r *servicer.Report) { r.Names = append(r.Names, r.Names[len(r.Names)-1]) },
	} {
		r := report()
		repeat(r)
		page, err := promvitals.Handler(collector(t, promvitals.Config{Health: told{r}}))
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			seen := map[string]bool{}
			got := get(t, page, text).Body.String()
			for line := range strings.Lines(got) {
				series := line[:strings.LastIndexByte(line, ' ')]
				if seen[series] && line[0] != '#' {
					t.Errorf("two of a %s: %s comes twice", what, series)
				}
				seen[series] = true
			}
			if want := fmt.Sprintf(`promhttp_metric_handler_errors_total{cause="gathering"} %d`+"\n", n); !strings.Contains(got, want) {
				t.Errorf("two of a %s: %s is missing", what, want)
			}
		}
	}
}

func TestErrorsOfAllFormatsAreCountedTogether(t *testing.T) {
	page, err := promvitals.Handler(unwell{})
	if err != nil {
		t.Fatal(err)
	}
	for n, accept := range []string{protobuf, text, openMetrics, protobuf} {
		want := fmt.Sprintf(`promhttp_metric_handler_errors_total{cause="gathering"} %d`, n)
		if got := get(t, page, accept).Body.String(); accept != protobuf && !strings.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

// unwell is a collector that always fails.
type unwell struct{}

func (unwell) Describe(chan<- *prometheus.Desc) {}

func (unwell) Collect(metrics chan<- prometheus.Metric) {
	metrics <- prometheus.NewInvalidMetric(prometheus.NewDesc("unwell_total", "Of somebody else.", nil, nil), errors.New("unwell"))
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
	for _, name := range []string{"health_phase", "grpc_server_started_total"} {
		named := httptest.NewRecorder()
		page.ServeHTTP(named, httptest.NewRequest("GET", "/metrics?name[]="+name, nil))
		if got := named.Body.String(); strings.Count(got, "# TYPE ") != 1 || !strings.Contains(got, "# TYPE "+name) {
			t.Errorf("%s alone: %s", name, got)
		}
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
