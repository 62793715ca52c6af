package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// measurePages compares the page that a scrape receives: promhttp over the Collector and over equal Vecs.
func measurePages(p measure.Plan) (found findings) {
	p = p.Times(0.5)
	ours100, theirs100 := pages(100)
	ours1000, theirs1000 := pages(1000)
	of := func(handler http.Handler, header http.Header) float64 {
		return p.Figure(measure.Interleave(p, 1, 1, scrapes(handler, header))[0])
	}
	compare := func(ours, theirs http.Handler, header http.Header) (a, b float64) {
		both := measure.Interleave(p, 1, 1, scrapes(ours, header), scrapes(theirs, header))
		return p.Figure(both[0]), p.Figure(both[1])
	}
	plain, gzip := http.Header{}, http.Header{"Accept-Encoding": {"gzip"}}
	few, fewVecs := compare(ours100, theirs100, plain)
	fewZipped, fewVecsZipped := compare(ours100, theirs100, gzip)
	many, manyVecs := compare(ours1000, theirs1000, plain)
	manyZipped, manyVecsZipped := compare(ours1000, theirs1000, gzip)
	found.goals = append(found.goals,
		atMost(0.85, "P10", "page of promhttp, 100 methods, plain, against equal Vecs", few, fewVecs),
		atMost(0.85, "P10", "page of promhttp, 100 methods, gzip, against equal Vecs", fewZipped, fewVecsZipped),
		atMost(0.85, "P10", "page of promhttp, 1,000 methods, plain, against equal Vecs", many, manyVecs),
		atMost(0.85, "P10", "page of promhttp, 1,000 methods, gzip, against equal Vecs", manyZipped, manyVecsZipped),
		compared("P10", "page, 1,000 methods, plain, cheaper than that of VictoriaMetrics/metrics", of(victoriaPage(1000), plain), many))
	return found
}

// pages returns the handler of promvitals over the same calls of n methods, in a Collector and in equal Vecs.
func pages(n int) (ours, theirs http.Handler) {
	collector, vecs := collectors(n)
	handler := func(all ...prometheus.Collector) http.Handler {
		h, err := promvitals.Handler(all...)
		if err != nil {
			panic(err)
		}
		return h
	}
	return handler(collector), handler(vecs...)
}

// scrapes repeats the request of a page, without a network.
func scrapes(handler http.Handler, header http.Header) measure.Subject {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil)
	request.Header = header
	return func(n int) {
		for range n {
			handler.ServeHTTP(&discard{header: http.Header{}}, request)
		}
	}
}

// victoriaPage returns a page of equal series by VictoriaMetrics/metrics, which has no gauges without a callback, no labels but
// in the text of a name, and neither TYPE nor HELP lines by default.
func victoriaPage(methods int) http.Handler {
	set := metrics.NewSet()
	for i := range methods {
		labels := fmt.Sprintf(`grpc_type="unary",grpc_service="shop.v1.Orders",grpc_method="Method%d"`, i)
		for _, name := range []string{"started_total", "msg_received_total", "msg_sent_total", "panics_total"} {
			set.GetOrCreateCounter("grpc_server_" + name + "{" + labels + "}").Set(5)
		}
		set.GetOrCreateGauge("grpc_server_in_flight{"+labels+"}", func() float64 { return 0 })
		for code := range codes.Code(interceptor.NumCodes) {
			if code == codes.OK || interceptor.IsFailure(code) {
				set.GetOrCreateCounter("grpc_server_handled_total{" + labels + `,grpc_code="` + code.String() + `"}`)
			}
		}
		set.GetOrCreatePrometheusHistogramExt("grpc_server_handling_seconds{"+labels+"}", prometheus.DefBuckets).Update(0.001)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { set.WritePrometheus(w) })
}
