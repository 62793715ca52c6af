package promvitals_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

var allFormats = map[string]string{"text": text, "OpenMetrics": openMetrics, "protobuf": protobuf}

// panickingSource panics instead of returning a report.
type panickingSource struct{}

func (panickingSource) Report() *servicer.Report { panic("no report") }

func (panickingSource) Changed() <-chan struct{} { return nil }

func TestPanickingCollectorLosesOnlyItsMetrics(t *testing.T) {
	for format, accept := range allFormats {
		page, err := promvitals.Handler(collector(t, promvitals.Config{Source: panickingSource{}}), stranger("shop_orders_total"))
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

// stranger is an unchecked collector: it describes nothing.
type stranger string

func (s stranger) Describe(chan<- *prometheus.Desc) {}

func (s stranger) Collect(metrics chan<- prometheus.Metric) {
	metrics <- prometheus.MustNewConstMetric(prometheus.NewDesc(string(s), "Of another collector.", nil, nil), prometheus.CounterValue, 7)
}

func TestHandlerRejectsCollectorsWithTheSameNames(t *testing.T) {
	described := prometheus.NewCounter(prometheus.CounterOpts{Name: "health_phase", Help: "Of another collector."})
	if _, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{report()}}), described); err == nil {
		t.Error("a collector with a name of ours was accepted")
	}
	page, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{report()}}), stranger("health_phase"), stranger("shop_orders_total"))
	if err != nil {
		t.Fatal(err)
	}
	get(t, page, openMetrics)
	got := get(t, page, text).Body.String()
	if strings.Count(got, "# TYPE health_phase ") != 1 || !strings.Contains(got, "shop_orders_total 7") || !strings.Contains(got, "health_info{") {
		t.Errorf("the conflict costs more than one family: %s", got)
	}
	if !strings.Contains(got, `promhttp_metric_handler_errors_total{cause="gathering"} 1`+"\n") {
		t.Errorf("the conflict is not counted: %s", got)
	}
}

// TestDuplicateSeriesIsWrittenOnce uses reports that no servicer.Server makes. In a registry of the user the error of a
// duplicate would be a response of 500.
func TestDuplicateSeriesIsWrittenOnce(t *testing.T) {
	for what, repeat := range map[string]func(*servicer.Report){
		"breaker": func(r *servicer.Report) { r.Breakers = append(r.Breakers, r.Breakers[0]) },
		"check":   func(r *servicer.Report) { r.Checks = append(r.Checks, r.Checks[0]) },
		"name":    func(r *servicer.Report) { r.Names = append(r.Names, r.Names[len(r.Names)-1]) },
	} {
		r := report()
		repeat(r)
		page, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{r}}))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			seen := map[string]bool{}
			got := get(t, page, text).Body.String()
			for line := range strings.Lines(got) {
				series := line[:strings.LastIndexByte(line, ' ')]
				if seen[series] && line[0] != '#' {
					t.Errorf("two of a %s: %s comes twice", what, series)
				}
				seen[series] = true
			}
			if !strings.Contains(got, `promhttp_metric_handler_errors_total{cause="gathering"} 0`+"\n") {
				t.Errorf("two of a %s: the registry got an error", what)
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
	metrics <- prometheus.NewInvalidMetric(prometheus.NewDesc("unwell_total", "Of another collector.", nil, nil), errors.New("unwell"))
}

func TestNameParameterSelectsFamilies(t *testing.T) {
	c := collector(t, promvitals.Config{Source: staticSource{report()}, Recorder: traffic(t, map[codes.Code]int{codes.OK: 1})})
	page, err := promvitals.Handler(c, stranger("shop_orders_total"))
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]string{
		"name[]=health_info":                                   {"health_info"},
		"name[]=shop_orders_total":                             {"shop_orders_total"},
		"name[]=grpc_client_started_total":                     nil, // no client call was recorded
		"name[]=missing":                                       nil,
		"name[]=shop_orders_total&name[]=health_watch_streams": {"health_watch_streams", "shop_orders_total"},
	} {
		response := httptest.NewRecorder()
		page.ServeHTTP(response, httptest.NewRequest("GET", "/metrics?"+query, nil))
		var got []string
		for line := range strings.Lines(response.Body.String()) {
			if head, is := strings.CutPrefix(line, "# TYPE "); is {
				got = append(got, strings.Fields(head)[0])
			}
		}
		if response.Code != 200 || !slices.Equal(got, want) {
			t.Errorf("%s: %d %q, want %q", query, response.Code, got, want)
		}
	}
}

func TestPageIsGzippedIfAccepted(t *testing.T) {
	page, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{report()}}))
	if err != nil {
		t.Fatal(err)
	}
	for header, zipped := range map[string]bool{"": false, "identity": false, "gzip;q=0": false, "gzip": true, "deflate, gzip": true} {
		request := httptest.NewRequest("GET", "/metrics", nil)
		request.Header.Set("Accept-Encoding", header)
		response := httptest.NewRecorder()
		page.ServeHTTP(response, request)
		var body io.Reader = response.Body
		if got := response.Header().Get("Content-Encoding") == "gzip"; got != zipped {
			t.Errorf("Accept-Encoding %q: gzipped %v, want %v", header, got, zipped)
		} else if zipped {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := io.ReadAll(body); err != nil || !strings.Contains(string(text), "health_phase") {
			t.Errorf("Accept-Encoding %q: %d bytes, %v", header, len(text), err)
		}
	}
}

// Health and recorder may each have a Collector of their own on one page.
func TestHandlerServesTwoCollectors(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	page, err := promvitals.Handler(collector(t, promvitals.Config{Recorder: recorder}), collector(t, promvitals.Config{Source: staticSource{report()}}))
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
		for range 2 {
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
