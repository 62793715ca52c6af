package promvitals

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// Config configures a Collector. At least one of Source and Recorder is required.
type Config struct {
	// Source provides the report, usually a *servicer.Server.
	Source servicer.ReportSource
	// Recorder provides the statistics of server and client calls.
	Recorder *interceptor.Recorder
	// Buckets are the upper bounds of the latency histograms in seconds, ascending. Default prometheus.DefBuckets, as
	// in go-grpc-middleware; at most 100 s, the recorder's greatest bound. Bounds of the recorder's own buckets are exact, others move to the nearest of those; see
	// interceptor.Histogram.Cumulative.
	Buckets []float64
	// NativeHistograms adds native histograms of schema 3 (buckets 9.05 % wide) to the classic buckets of the call
	// latency. They are converted from the recorder's buckets, which moves an observation by at most 8.4 %. Prometheus
	// scrapes them in protobuf only; text formats do not contain them.
	NativeHistograms bool
	// AllCodes exports grpc_*_handled_total of every method for all 17 codes, as go-grpc-middleware's InitializeMetrics
	// does. By default a method has a series for OK, from its first call for every code for which interceptor.IsFailure
	// holds, so that rate() sees the first error, and for other codes after their first occurrence.
	AllCodes bool
	// Collectors are the application's, which vitals.New puts on the same page; a Go or process collector among them replaces
	// the default one. New accepts none: register them beside the Collector, or pass them to Handler.
	Collectors []prometheus.Collector
}

// maxBound is the greatest bound of the recorder, in seconds.
const maxBound = 100

// Collector is a prometheus.Collector of health and calls. Register it with any registry, or pass it to Handler.
type Collector struct {
	health   servicer.ReportSource
	recorder *interceptor.Recorder
	labels   healthLabels
	server   *callFamilies
	client   *callFamilies
}

// New returns a Collector, or an error that joins all mistakes in cfg.
func New(cfg Config) (*Collector, error) {
	var errs []error
	if cfg.Source == nil && cfg.Recorder == nil {
		errs = append(errs, errors.New("promvitals: Source or Recorder is required"))
	}
	if cfg.Collectors != nil {
		errs = append(errs, errors.New("promvitals: Collectors: only vitals.New uses them; register them beside the Collector"))
	}
	for i, bound := range cfg.Buckets {
		if math.IsNaN(bound) || math.IsInf(bound, 0) || bound <= 0 {
			errs = append(errs, fmt.Errorf("promvitals: Buckets[%d]: got %v, want a positive number of seconds", i, bound))
		} else if bound > maxBound {
			errs = append(errs, fmt.Errorf("promvitals: Buckets[%d]: got %v, want at most %v s: the recorder does not distinguish longer calls", i, bound, maxBound))
		}
		if i > 0 && !(bound > cfg.Buckets[i-1]) { // also true for NaN
			errs = append(errs, fmt.Errorf("promvitals: Buckets[%d]: got %v after %v, want bounds sorted in ascending order", i, bound, cfg.Buckets[i-1]))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	bounds := slices.Clone(cfg.Buckets)
	if bounds == nil {
		bounds = prometheus.DefBuckets
	}
	c := &Collector{health: cfg.Source, recorder: cfg.Recorder, server: newCallFamilies("server", bounds), client: newCallFamilies("client", bounds)}
	for _, side := range []*callFamilies{c.server, c.client} {
		side.native, side.allCodes = cfg.NativeHistograms, cfg.AllCodes
	}
	return c, nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	var all []*family
	if c.health != nil {
		all = append(all, healthFamilies...)
	}
	if c.recorder != nil {
		all = append(append(all, c.server.all...), c.client.all...)
	}
	for _, f := range all {
		descs <- f.desc
	}
}

// Collect implements prometheus.Collector. All health metrics are of one report.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	e := &emitter{metrics: metrics}
	if c.health != nil {
		report := c.health.Report()
		e.started = report.Started
		c.labels.collect(report, e)
	}
	if c.recorder != nil {
		c.server.collect(c.recorder.ServerTotals(), e)
		c.client.collect(c.recorder.ClientTotals(), e)
	}
}

// maxRequestsInFlight is the default of Prometheus' node_exporter.
const maxRequestsInFlight = 40

// Handler returns promhttp's handler for a private registry of the given collectors and client_golang's Go and process
// collectors, each unless a given one has its metrics. It responds with 200 whatever the health, in the format that the scraper accepts: text 0.0.4, OpenMetrics
// 1.0 or protobuf, gzipped if accepted, but not for the ResponseWriter of a middleware, which may compress; the parameter name[] selects families. If a collector fails, its metrics are
// missing and promhttp_metric_handler_errors_total counts the error. The error is that of registering a collector, such
// as a duplicate name.
//
// At most 40 scrapes run at a time; further ones get 503. Each gathers for itself (no CoalesceGather), so that a
// scraper that stops reading does not delay others; serve the handler with a http.Server.WriteTimeout, which ends such
// a scrape.
func Handler(all ...prometheus.Collector) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	for i, c := range all {
		if c == nil {
			return nil, fmt.Errorf("promvitals: collector %d is nil", i)
		}
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("promvitals: collector %d: %w", i, err)
		}
	}
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		_ = registry.Register(c) // fails if a given collector has one of its metrics
	}
	return compressOnce(promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            registry,
		MaxRequestsInFlight: maxRequestsInFlight,
	})), nil
}

// compressOnce keeps next from compressing for a ResponseWriter that is not net/http's own: some middleware compresses whatever
// is written (https://github.com/prometheus/client_golang/issues/622).
func compressOnce(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t := reflect.TypeOf(w); t.Kind() != reflect.Pointer || !strings.HasPrefix(t.Elem().PkgPath(), "net/http") {
			r = r.Clone(r.Context())
			r.Header.Del("Accept-Encoding")
		}
		next.ServeHTTP(w, r)
	})
}
