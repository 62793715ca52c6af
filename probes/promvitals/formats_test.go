package promvitals_test

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

const protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

func get(t *testing.T, handler http.Handler, accept string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest("GET", "/metrics", nil)
	request.Header.Set("Accept", accept)
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)
	if response.Code != 200 {
		t.Fatalf("%d: %s", response.Code, response.Body)
	}
	return response
}

func TestHandlerRespondsInTheAcceptedFormat(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	handler, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{report()}, Recorder: recorder}))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ scraper, accept, want string }{
		{"curl", "*/*", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"},
		{
			"Prometheus 2", "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			"application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
		},
		{
			"Prometheus 3", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
			"application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
		},
		{
			"Prometheus 3 with native histograms", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			protobuf + "; escaping=underscores",
		},
	} {
		response := get(t, handler, test.accept)
		if got := response.Header().Get("Content-Type"); got != test.want {
			t.Errorf("%s gets %q, want %q", test.scraper, got, test.want)
		}
		page := response.Body.String()
		if strings.Contains(page, "_created") {
			t.Errorf("%s gets _created series", test.scraper)
		}
		if strings.Contains(test.want, "openmetrics") && !strings.HasSuffix(page, "# EOF\n") {
			t.Errorf("%s does not get an end", test.scraper)
		}
		for _, name := range []string{"health_phase", "grpc_server_handled", "go_goroutines", "promhttp_metric_handler_errors"} {
			if !strings.Contains(page, name) {
				t.Errorf("%s misses %s", test.scraper, name)
			}
		}
	}
}

// decoded returns what a scrape by protobuf holds.
func decoded(t *testing.T, handler http.Handler) map[string]*dto.MetricFamily {
	t.Helper()
	body := get(t, handler, protobuf).Body
	decoder := expfmt.NewDecoder(bytes.NewReader(body.Bytes()), expfmt.NewFormat(expfmt.TypeProtoDelim))
	families := map[string]*dto.MetricFamily{}
	for {
		family := new(dto.MetricFamily)
		if decoder.Decode(family) != nil {
			return families
		}
		families[family.GetName()] = family
	}
}

func TestProtobufHasCreatedTimestamps(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	began := report()
	began.Started = time.Unix(1000, 0)
	added, made := time.Unix(2000, 0), time.Unix(3000, 0)
	for _, check := range began.Checks {
		check.Runs.Since = added
	}
	for i := range began.Breakers {
		began.Breakers[i].Created = made
	}
	handler, err := promvitals.Handler(collector(t, promvitals.Config{Source: staticSource{began}, Recorder: recorder}))
	if err != nil {
		t.Fatal(err)
	}
	families := decoded(t, handler)
	var called time.Time
	for method := range recorder.ServerTotals() {
		called = method.Created(codes.OK)
	}
	if !called.After(recorder.Started()) {
		t.Fatalf("the first call began at %v, the recorder at %v", called, recorder.Started())
	}
	for name, want := range map[string]time.Time{
		"health_checks_total": added, "health_breaker_calls_total": made,
		"grpc_server_started_total": called, "grpc_server_handled_total": called,
	} {
		if got := families[name].GetMetric()[0].GetCounter().GetCreatedTimestamp().AsTime(); !got.Equal(want) {
			t.Errorf("%s began at %v, want %v", name, got, want)
		}
	}
	if got := families["grpc_server_handling_seconds"].GetMetric()[0].GetHistogram().GetCreatedTimestamp().AsTime(); !got.Equal(called) {
		t.Errorf("the histogram began at %v", got)
	}
}

func TestFamiliesListWhatIsExported(t *testing.T) {
	all := large(1)
	all.Shadow, all.ConfigHash = all.Names, "12ab"
	c := collector(t, promvitals.Config{Source: staticSource{all}, Recorder: traffic(t, map[codes.Code]int{codes.OK: 1})})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	exported, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	listed := promvitals.Families()
	if !slices.IsSortedFunc(listed, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) }) {
		t.Error("not sorted")
	}
	for _, family := range listed {
		if strings.HasPrefix(family.GetName(), "grpc_client_") {
			continue // no client call was recorded
		}
		i := slices.IndexFunc(exported, func(e *dto.MetricFamily) bool { return e.GetName() == family.GetName() })
		if i < 0 {
			t.Errorf("%s is not exported", family.GetName())
			continue
		}
		e := exported[i]
		if e.GetType() != family.GetType() || e.GetHelp() != family.GetHelp() || !slices.Equal(labelNames(e), labelNames(family)) {
			t.Errorf("exported as %s %q %v, listed as %+v", e.GetType(), e.GetHelp(), labelNames(e), family)
		}
		exported = slices.Delete(exported, i, i+1)
	}
	for _, left := range exported {
		t.Errorf("%s is not listed", left.GetName())
	}
}

func labelNames(family *dto.MetricFamily) (names []string) {
	for _, pair := range family.GetMetric()[0].GetLabel() {
		names = append(names, pair.GetName())
	}
	return names
}

func TestDocumentationNamesTheHealthFamilies(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range promvitals.Families() {
		line := family.GetName()
		if labels := labelNames(family); len(labels) > 0 {
			line += "{" + strings.Join(labels, ",") + "}"
		}
		if strings.HasPrefix(line, "health_") && !strings.Contains(string(text), "//	"+line) {
			t.Errorf("doc.go does not have %s", line)
		}
	}
}

func ExampleFamilies() {
	for _, family := range promvitals.Families() {
		if strings.HasPrefix(family.GetName(), "health_check_") {
			fmt.Println(family.GetType(), family.GetName())
		}
	}
	// Output:
	// GAUGE health_check_caused
	// GAUGE health_check_consecutive_failures
	// HISTOGRAM health_check_duration_seconds
	// GAUGE health_check_last_success_timestamp_seconds
	// GAUGE health_check_state
	// GAUGE health_check_value
}

// changing is a source with checks that are added and removed.
type changing struct {
	edition atomic.Pointer[servicer.Report]
}

func (c *changing) Report() *servicer.Report { return c.edition.Load() }

func (c *changing) Changed() <-chan struct{} { return nil }

func TestConcurrentScrapesParse(t *testing.T) {
	health := &changing{}
	health.edition.Store(large(0))
	recorder := traffic(t, nil)
	c := collector(t, promvitals.Config{Source: health, Recorder: recorder, NativeHistograms: true})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if _, err := registry.Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 50 {
		health.edition.Store(large(i % 7))
		serve(t, recorder, codes.Code(i%interceptor.NumCodes))
	}
	wg.Wait()
}

func TestLabelsOfRemovedNamesAreDropped(t *testing.T) {
	health := &changing{}
	health.edition.Store(large(10))
	c := collector(t, promvitals.Config{Source: health})
	scrape(t, c)
	health.edition.Store(large(2))
	page := scrape(t, c)
	if strings.Contains(page, "dependency-005") || !strings.Contains(page, "dependency-001") {
		t.Error("the page does not show the checks that there are")
	}
}

func TestAllCodesExportsEveryCode(t *testing.T) {
	recorder := traffic(t, nil)
	for all, want := range map[bool]int{false: 1, true: interceptor.NumCodes} {
		page := scrape(t, collector(t, promvitals.Config{Recorder: recorder, AllCodes: all}))
		if got := strings.Count(page, "grpc_server_handled_total{"); got != want {
			t.Errorf("AllCodes %v: %d series, want %d", all, got, want)
		}
	}
}

// nativeBuckets returns the counts of a native histogram by the upper bound of the bucket.
func nativeBuckets(h *dto.Histogram) map[float64]int64 {
	buckets := map[float64]int64{}
	index, next, n := 0, 0, int64(0)
	for _, span := range h.GetPositiveSpan() {
		index += int(span.GetOffset())
		for range span.GetLength() {
			n += h.GetPositiveDelta()[next]
			buckets[math.Exp2(float64(index)/math.Exp2(float64(h.GetSchema())))] += n
			index, next = index+1, next+1
		}
	}
	return buckets
}

func TestNativeHistogramIsCloseToClientGolangs(t *testing.T) {
	for bucket := range interceptor.NumCodes { // sanity of the helper against client_golang itself
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", NativeHistogramBucketFactor: 1.1})
		value := math.Pow(3, float64(bucket)-10)
		h.Observe(value)
		var out dto.Metric
		if err := h.Write(&out); err != nil {
			t.Fatal(err)
		}
		for upper, n := range nativeBuckets(out.GetHistogram()) {
			if n == 1 && (value > upper*1.000001 || value < upper/math.Exp2(1./8)*0.999999) {
				t.Fatalf("%v is read as at most %v", value, upper)
			}
		}
	}
	recorder := traffic(t, nil)
	for range 200 {
		serve(t, recorder, codes.OK)
	}
	handler, err := promvitals.Handler(collector(t, promvitals.Config{Recorder: recorder, NativeHistograms: true}))
	if err != nil {
		t.Fatal(err)
	}
	h := decoded(t, handler)["grpc_server_handling_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSchema() != 3 || len(h.GetBucket()) != len(prometheus.DefBuckets) || h.GetSampleCount() != 200 {
		t.Fatalf("schema %d, %d classic buckets, %d calls", h.GetSchema(), len(h.GetBucket()), h.GetSampleCount())
	}
	var n int64
	var sum float64
	for upper, count := range nativeBuckets(h) {
		n += count
		sum += upper * float64(count)
	}
	// Each observation lies at most 8.4 % outside of its bucket, which is 9.05 % wide.
	if n != 200 || sum < h.GetSampleSum()/1.084 && h.GetSampleSum() > 200*100e-9 {
		t.Errorf("%d calls in the buckets, whose bounds add up to %v; the true sum is %v", n, sum, h.GetSampleSum())
	}
}

func TestNativeHistogramWithoutCallsHasAnEmptySpan(t *testing.T) {
	handler, err := promvitals.Handler(collector(t, promvitals.Config{Recorder: traffic(t, nil), NativeHistograms: true}))
	if err != nil {
		t.Fatal(err)
	}
	h := decoded(t, handler)["grpc_server_handling_seconds"].GetMetric()[0].GetHistogram()
	if len(h.GetPositiveSpan()) != 1 || h.GetSampleCount() != 0 {
		t.Errorf("%v", h)
	}
}
