package promvitals

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler returns the page for Prometheus to scrape: the collectors given, beside client_golang's Go and process
// collectors, in a registry of its own. It answers 200 whatever the verdict, because Prometheus drops a scrape that
// says 503; a collector that fails costs its own metrics only, and counts in promhttp_metric_handler_errors_total.
// Scrapes that come while one collects share what it collects. The format is what the scraper asks for: text 0.0.4, OpenMetrics 1.0 or
// protobuf, gzipped if it likes; no format but protobuf says when a counter began, and none has _created series. The
// error is that of registering a collector, such as one whose names another has.
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
	page := promhttp.HandlerFor(&shared{Gatherer: registry}, promhttp.HandlerOpts{
		EnableOpenMetrics:  true,
		ErrorHandling:      promhttp.ContinueOnError,
		Registry:           registry,
		DisableCompression: true, // see compressed
	})
	return compressed(page), nil
}
