package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	promclient "github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// odd is a judge whose names nobody should have chosen.
type odd struct{ names []string }

func (odd) Changed() <-chan struct{} { return nil }

func (o odd) Report() *servicer.Report {
	r := &servicer.Report{}
	for _, name := range o.names {
		r.Names = append(r.Names, servicer.ServingName{Name: name})
		r.Checks = append(r.Checks, &checker.Result{Name: name, Status: checker.Healthy})
	}
	return r
}

// TestPrometheusReadsOddNames lets the real parsers read names that could end a page, in every format that they ask for.
func TestPrometheusReadsOddNames(t *testing.T) {
	t.Parallel()
	names := []string{
		`quo"te`, `back\slash`, `ends in \`, "new\nline", "return\r", "tab\t", "zero\x00", "bad\xff", "bad\xfe", "Größe", "}{,=# EOF", "# EOF",
		"line\u2028separator", "\ufeffmark", strings.Repeat("long ", 1000), "",
	}
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		_, _ = recorder.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
			func(context.Context, any) (any, error) { return nil, nil })
	}
	collector, err := promvitals.New(promvitals.Config{Source: odd{names}, Recorder: recorder, NativeHistograms: true})
	if err != nil {
		t.Fatal(err)
	}
	// A metric of the user's on the same page, whose name only today's Prometheus can take as it is.
	users := promclient.NewGauge(promclient.GaugeOpts{Name: "shop.Größe", Help: "Any."})
	users.Set(7)
	page, err := promvitals.Handler(collector, users)
	if err != nil {
		t.Fatal(err)
	}
	each(t, "prometheus", func(t *testing.T, r release) {
		checks := map[string]func(*testing.T){}
		for _, f := range formats() {
			if !f.onlyThree || r.three {
				checks[f.name] = f.start(t, r, page, strconv.Itoa(len(names)))
			}
		}
		for name, check := range checks {
			t.Run(name, check)
		}
	})
}

// format is a way in which Prometheus reads a page.
type format struct {
	name string
	// accept is what the page is told, instead of what Prometheus says; empty for that.
	accept string
	wish   wish
	// onlyThree is not known to the generation before.
	onlyThree bool
	// older and newer are what Prometheus gets, by its generation.
	older, newer string
	want         map[string]string
}

func formats() []format {
	const (
		openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
		text        = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
		protobuf    = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores"
		under       = openMetrics + "underscores"
		utf8        = openMetrics + "allow-utf-8"
	)
	classic := map[string]string{
		`grpc_server_handling_seconds_count`:                                  "1000",
		`grpc_server_handling_seconds_bucket{le="+Inf"}`:                      "1000",
		`count(grpc_server_handling_seconds_bucket)`:                          "12",
		`count(grpc_server_handling_seconds) or vector(0)`:                    "0",
		`count(health_check_duration_seconds_bucket{service=~"Gr.*"})`:        "14",
		`grpc_server_handled_total{grpc_code="OK",grpc_method="Place"}`:       "1000",
		`count(grpc_server_handled_total{grpc_code!="OK"} != 0) or vector(0)`: "0",
	}
	native := map[string]string{
		`histogram_count(grpc_server_handling_seconds)`: "1000",
		// A native histogram that is read as one has a quantile without le; what nobody slept in took no second.
		`histogram_quantile(0.99, grpc_server_handling_seconds) < bool 1`: "1",
		`count(grpc_server_handling_seconds_bucket) or vector(0)`:         "0",
		`grpc_server_handled_total{grpc_code="OK",grpc_method="Place"}`:   "1000",
	}
	both := map[string]string{
		`histogram_count(grpc_server_handling_seconds)`:                                              "1000",
		`grpc_server_handling_seconds_count`:                                                         "1000",
		`count(grpc_server_handling_seconds_bucket)`:                                                 "12",
		`histogram_sum(grpc_server_handling_seconds) == bool on () grpc_server_handling_seconds_sum`: "1",
	}
	return []format{
		{name: "OpenMetrics", older: under, newer: utf8, want: classic},
		{name: "text", accept: "text/plain;version=0.0.4", older: text, newer: text, want: classic},
		{name: "native", wish: wish{native: true}, older: protobuf, newer: protobuf, want: native},
		{name: "native and classic", wish: wish{native: true, classicToo: true}, onlyThree: true, newer: protobuf, want: both},
	}
}

// start lets a Prometheus read the page, and returns what to expect.
func (f format) start(t *testing.T, r release, page http.Handler, names string) (check func(*testing.T)) {
	t.Helper()
	var got atomic.Value
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f.accept != "" {
			req.Header.Set("Accept", f.accept)
		}
		page.ServeHTTP(w, req)
		got.Store(w.Header().Get("Content-Type"))
	}))
	t.Cleanup(web.Close)
	f.wish.leisurely = true
	p := watch(t, r, f.wish, &server{web: strings.TrimPrefix(web.URL, "http://")})
	return func(t *testing.T) {
		p := &prometheus{t, p.url}
		p.becomes(`up`, "1")
		contentType := f.older
		if r.three {
			contentType = f.newer
		}
		if got.Load() != contentType {
			t.Errorf("Prometheus got %q, want %q", got.Load(), contentType)
		}
		f.check(p, names, strings.HasSuffix(contentType, "allow-utf-8"))
	}
}

func (f format) check(p *prometheus, names string, utf8 bool) {
	for _, name := range []string{"health_status", "health_checks_total", "health_check_state"} {
		p.becomes(`count(count by (service, check) (`+name+`))`, names)
	}
	for query, want := range f.want {
		p.becomes(query, want)
	}
	users := `shop_Gr__e`
	if utf8 {
		users = `{"shop.Größe"}`
	}
	p.becomes(users, "7")
}
