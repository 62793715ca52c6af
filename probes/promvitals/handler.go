package promvitals

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxRequestsInFlight is the default of Prometheus' node_exporter.
const maxRequestsInFlight = 40

// Handler returns promhttp's handler for a private registry of the given collectors and client_golang's Go and process
// collectors. It responds with 200 whatever the health, in the format that the scraper accepts: text 0.0.4, OpenMetrics
// 1.0 or protobuf, gzipped if accepted; the parameter name[] selects families. If a collector fails, its metrics are
// missing and promhttp_metric_handler_errors_total counts the error. The error is that of registering a collector, such
// as a duplicate name.
//
// At most 40 scrapes run at a time; further ones get 503. Each gathers for itself (no CoalesceGather), so that a
// scraper that stops reading does not delay others; serve the handler with a http.Server.WriteTimeout, which ends such
// a scrape.
func Handler(all ...prometheus.Collector) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	all = append([]prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}, all...)
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            registry,
		MaxRequestsInFlight: maxRequestsInFlight,
	}), nil
}
