package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// odd is a judge whose names nobody should have chosen.
type odd struct{ names []string }

func (o odd) Report() *servicer.Report {
	r := &servicer.Report{}
	for _, name := range o.names {
		r.Names = append(r.Names, servicer.Name{Name: name})
		r.Checks = append(r.Checks, &checker.Result{Name: name, Status: checker.Healthy})
	}
	return r
}

// TestPrometheusReadsOddNames lets the real parser read names that could end a page, and native histograms.
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
		_, _ = recorder.UnaryServer(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
			func(context.Context, any) (any, error) { return nil, nil })
	}
	collector, err := promvitals.New(promvitals.Config{Health: odd{names}, Recorder: recorder, NativeHistograms: true})
	if err != nil {
		t.Fatal(err)
	}
	page, err := promvitals.Handler(collector)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		format string
		accept string // what the page is told, instead of what Prometheus says; empty for that
		flags  []string
		want   map[string]string
	}{
		{"OpenMetrics", "", nil, nil},
		{"text", "text/plain;version=0.0.4", nil, nil},
		{"protobuf", "", []string{"--enable-feature=native-histograms"}, map[string]string{
			`histogram_count(grpc_server_handling_seconds)`: "1000",
			// A native histogram that is read as one has a quantile without le; what nobody slept in took no second.
			`histogram_quantile(0.99, grpc_server_handling_seconds) < bool 1`: "1",
		}},
	} {
		t.Run(test.format, func(t *testing.T) {
			t.Parallel()
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if test.accept != "" {
					r.Header.Set("Accept", test.accept)
				}
				page.ServeHTTP(w, r)
			}))
			t.Cleanup(web.Close)
			p := watch(t, hurried, test.flags, &server{web: strings.TrimPrefix(web.URL, "http://")})
			p.becomes(`up`, "1")
			for _, name := range []string{"health_status", "health_checks_total", "health_check_state"} {
				p.becomes(`count(count by (service, check) (`+name+`))`, strconv.Itoa(len(names)))
			}
			for query, want := range test.want {
				p.becomes(query, want)
			}
		})
	}
}
