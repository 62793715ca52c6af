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
	// NativeHistograms adds native histograms of schema 3 (buckets 9.05 % wide) to the classic buckets of the calls'
	// latency. They are made from the recorder's buckets, which moves an observation by 8.4 % at most. Prometheus asks
	// for them where it scrapes native histograms, in protobuf; in text formats they do not appear.
	NativeHistograms bool
	// AllCodes exports grpc_*_handled_total of every method for all 17 codes, also for those that never came, as
	// go-grpc-middleware's InitializeMetrics does. Default: OK from the start, the codes for which
	// interceptor.IsFailure holds from the method's first call, so that a rate sees the first error, and the others
	// once they came.
	AllCodes bool
}

// Collector exports snapshots to Prometheus. Create it with New and register it with a registry of yours, or let
// Handler do that.
type Collector struct {
	health   interface{ Report() *servicer.Report }
	recorder *interceptor.Recorder
	labels   healthLabels
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
	c := &Collector{health: config.Health, recorder: config.Recorder}
	c.server, c.client = newSides(bounds)
	for _, side := range []*callFamilies{c.server, c.client} {
		side.native, side.allCodes = config.NativeHistograms, config.AllCodes
	}
	return c, nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, f := range c.families() {
		descs <- f.desc
	}
}

// families are those that c exports.
func (c *Collector) families() (list []*family) {
	if c.health != nil {
		list = append(list, healthFamilies...)
	}
	if c.recorder != nil {
		list = append(append(list, c.server.all...), c.client.all...)
	}
	return list
}

// Collect implements prometheus.Collector. The health metrics come from one edition of the report; all metrics of one
// method are read at one time.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	c.collect(&toRegistry{metrics: metrics})
}

func (c *Collector) collect(to sink) {
	if c.health != nil {
		report := c.health.Report()
		to.began(report.Started)
		c.labels.collect(report, to)
	}
	if c.recorder != nil {
		to.began(c.recorder.Started())
		c.server.collect(c.recorder.ServerTotals(), to)
		c.client.collect(c.recorder.ClientTotals(), to)
	}
}
