package promvitals

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vitals-go/vitals/internal/wallclock"
)

const (
	counter   = dto.MetricType_COUNTER
	gauge     = dto.MetricType_GAUGE
	histogram = dto.MetricType_HISTOGRAM
)

// family is one metric name. It is immutable.
type family struct {
	desc       *prometheus.Desc
	kind       dto.MetricType
	name, help string
	labels     []string  // sorted, as the exposition formats require
	bounds     []float64 // upper bounds of a histogram's classic buckets in seconds
}

func newFamily(kind dto.MetricType, name, help string, labels ...string) *family {
	return &family{desc: prometheus.NewDesc(name, help, labels, nil), kind: kind, name: name, help: help, labels: labels}
}

func newHistogramFamily(bounds []float64, name, help string, labels ...string) *family {
	f := newFamily(histogram, name, help, labels...)
	f.bounds = bounds
	return f
}

// with returns the label pairs of one series; values are in the order of f.labels.
func (f *family) with(values ...string) labels {
	pairs := make(labels, len(values))
	for i, value := range values {
		value = labelValue(value)
		pairs[i] = &dto.LabelPair{Name: &f.labels[i], Value: &value}
	}
	return pairs
}

// Families returns the name, type and help text of every family that a Collector can export, sorted by name, each with
// one metric without a value that holds the label names. Generators of dashboards and rules read it.
func Families() []*dto.MetricFamily {
	all := slices.Concat(healthFamilies, newCallFamilies("server", nil).all, newCallFamilies("client", nil).all)
	slices.SortFunc(all, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	list := make([]*dto.MetricFamily, len(all))
	for i, f := range all {
		labels := f.with(make([]string, len(f.labels))...)
		list[i] = &dto.MetricFamily{Name: &f.name, Type: &f.kind, Help: &f.help, Metric: []*dto.Metric{{Label: labels}}}
	}
	return list
}

// emitter builds the metrics of one scrape and sends them to a registry.
type emitter struct {
	metrics chan<- prometheus.Metric
	created *timestamppb.Timestamp // of the counters and histograms that follow; nil if unknown
	at      time.Time              // created
	started time.Time              // of the report

	gauges     slab[gaugeMetric]
	counters   slab[counterMetric]
	histograms slab[histogramMetric]
}

// setCreatedOr is setCreated with e.started if at is unknown.
func (e *emitter) setCreatedOr(at time.Time) {
	if at.IsZero() {
		at = e.started
	}
	e.setCreated(at)
}

func (e *emitter) setCreated(at time.Time) {
	if at.Equal(e.at) {
		return
	}
	e.at, e.created = at, nil
	if !at.IsZero() {
		e.created = timestamppb.New(wallclock.Start(time.Now(), at))
	}
}

func (e *emitter) gauge(f *family, l labels, value float64) {
	m := e.gauges.next()
	m.family, m.labels, m.value, m.gauge = f, l, value, &m.out
	m.out.Value = &m.value
	e.metrics <- m
}

func (e *emitter) counter(f *family, l labels, value uint64) {
	e.metrics <- e.newCounter(f, l, value, nil)
}

func (e *emitter) newCounter(f *family, l labels, value uint64, exemplar *dto.Exemplar) *counterMetric {
	m := e.counters.next()
	m.family, m.labels, m.value, m.counter = f, l, float64(value), &m.out
	m.out.Value, m.out.CreatedTimestamp, m.out.Exemplar = &m.value, e.created, exemplar
	return m
}

// newHistogram returns an empty histogram, which the caller fills and sends.
func (e *emitter) newHistogram(f *family, l labels) *histogramMetric {
	m := e.histograms.next()
	m.family, m.labels, m.histogram = f, l, &m.out
	m.buckets = make([]bucket, len(f.bounds))
	m.out.Bucket = make([]*dto.Bucket, len(f.bounds), len(f.bounds)+1)
	for i := range m.buckets {
		b := &m.buckets[i]
		b.out.CumulativeCount, b.out.UpperBound = &b.cumulative, &f.bounds[i]
		m.out.Bucket[i] = &b.out
	}
	m.out.SampleCount, m.out.SampleSum, m.out.CreatedTimestamp = &m.count, &m.sum, e.created
	return m
}

// slab allocates values in arrays of 64.
type slab[T any] struct{ free []T }

func (s *slab[T]) next() *T {
	if len(s.free) == 0 {
		s.free = make([]T, 64)
	}
	next := &s.free[0]
	s.free = s.free[1:]
	return next
}

// sample implements prometheus.Metric; one of the last three fields is set.
type sample struct {
	family *family
	labels labels

	gauge     *dto.Gauge
	counter   *dto.Counter
	histogram *dto.Histogram
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.family.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	out.Label, out.Gauge, out.Counter, out.Histogram = s.labels, s.gauge, s.counter, s.histogram
	return nil
}

// The types below hold the memory that their samples point to.

type gaugeMetric struct {
	sample

	value float64
	out   dto.Gauge
}

type counterMetric struct {
	sample

	value float64
	out   dto.Counter
}

type histogramMetric struct {
	sample

	buckets []bucket // one for each of the family's bounds
	count   uint64
	sum     float64 // in seconds
	out     dto.Histogram
}

type bucket struct {
	cumulative uint64
	out        dto.Bucket
}
