package promvitals

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// Config says what a Collector exports. At least one of Health and Recorder is required.
type Config struct {
	// Health is whose verdict is exported: a *servicer.Servicer.
	Health interface{ Report() *servicer.Report }
	// Recorder is whose calls are exported, of both sides.
	Recorder *interceptor.Recorder
	// Buckets are the upper bounds of the latency histograms in seconds, sorted. Default prometheus.DefBuckets, as in
	// go-grpc-middleware. Bounds that the recorder has are exact, others nearly; see interceptor.Histogram.Cumulative.
	Buckets []float64
}

// Collector exports snapshots to Prometheus. Create it with New and register it with a registry of yours, or let
// Handler do that.
type Collector struct {
	health   interface{ Report() *servicer.Report }
	recorder *interceptor.Recorder
	server   *callFamilies
	client   *callFamilies
}

// New returns a Collector, or an error that names every mistake in the configuration.
func New(config Config) (*Collector, error) {
	var errs []error
	if config.Health == nil && config.Recorder == nil {
		errs = append(errs, errors.New("promvitals: Config needs Health, Recorder or both"))
	}
	for i, bound := range config.Buckets {
		if math.IsNaN(bound) || math.IsInf(bound, 0) || bound <= 0 {
			errs = append(errs, fmt.Errorf("promvitals: Config.Buckets holds %v: a bound is a positive number of seconds", bound))
		}
		if i > 0 && !(bound > config.Buckets[i-1]) { // so that NaN is not sorted either
			errs = append(errs, fmt.Errorf("promvitals: Config.Buckets are not sorted: %v after %v", bound, config.Buckets[i-1]))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	bounds := slices.Clone(config.Buckets)
	if bounds == nil {
		bounds = prometheus.DefBuckets
	}
	return &Collector{
		health:   config.Health,
		recorder: config.Recorder,
		server:   newCallFamilies("server", bounds),
		client:   newCallFamilies("client", bounds),
	}, nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	if c.health != nil {
		for _, f := range healthFamilies {
			descs <- f.desc
		}
	}
	if c.recorder != nil {
		c.server.describe(descs)
		c.client.describe(descs)
	}
}

// Collect implements prometheus.Collector. All metrics of one side come from one snapshot.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	if c.health != nil {
		collectReport(c.health.Report(), metrics)
	}
	if c.recorder != nil {
		c.server.collect(c.recorder.Server(), metrics)
		c.client.collect(c.recorder.Client(), metrics)
	}
}
