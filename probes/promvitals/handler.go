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
// The format is what the scraper asks for: text 0.0.4, OpenMetrics 1.0 or protobuf, gzipped if it likes; no format but
// protobuf says when a counter began, and none has _created series. The parameter name[] asks for single metrics. The
// error is that of registering a collector, such as one whose names another has.
//
// In the text formats a Collector's own metrics are written without a registry, at a fraction of the cost; all others,
// and protobuf, come from client_golang, where scrapes that come while one collects share what it collects. The Go and
// process collectors are asked at most ten times a second. Metrics of others whose names are ours are left out of text, and
// count as a failure.
//
// A scraper that does not read holds a page, some 100 bytes for each series, until it goes: serve it with a
// http.Server.WriteTimeout, as probes.Server does.
func Handler(all ...prometheus.Collector) (http.Handler, error) {
	all = append([]prometheus.Collector{
		&kept{Collector: collectors.NewGoCollector()},
		&kept{Collector: collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})},
	}, all...)
	p := newPage()
	whole, others := prometheus.NewRegistry(), prometheus.NewRegistry()
	for _, c := range all {
		if err := whole.Register(c); err != nil {
			return nil, err
		}
		if own, ok := c.(*Collector); ok {
			p.add(own)
		} else if err := others.Register(c); err != nil {
			return nil, err
		}
	}
	p.others = pageOf(&foreign{others, p.taken}, both{others, whole})
	p.whole = pageOf(whole, whole)
	return compressed(p), nil
}

// pageOf returns client_golang's page of what a gatherer has. Its metric of errors is registered with registry.
func pageOf(gatherer prometheus.Gatherer, registry prometheus.Registerer) http.Handler {
	return promhttp.HandlerFor(&shared{Gatherer: gatherer}, promhttp.HandlerOpts{
		EnableOpenMetrics:  true,
		ErrorHandling:      promhttp.ContinueOnError,
		Registry:           registry,
		DisableCompression: true, // see compressed
	})
}

// both registers with two registries.
type both struct {
	prometheus.Registerer

	second prometheus.Registerer
}

// Register implements prometheus.Registerer.
func (b both) Register(c prometheus.Collector) error {
	if err := b.Registerer.Register(c); err != nil {
		return err
	}
	return b.second.Register(c)
}
