package promvitals

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// toRegistry hands a collection to a registry of client_golang.
type toRegistry struct {
	metrics chan<- prometheus.Metric
	since   *timestamppb.Timestamp // nil if unknown

	levels        slab[level]
	counts        slab[count]
	distributions slab[distribution]
}

func (r *toRegistry) began(since time.Time) {
	r.since = nil
	if !since.IsZero() {
		r.since = timestamppb.New(since)
	}
}

func (r *toRegistry) level(f *family, l *labels, value float64) {
	m := r.levels.next()
	*m = level{family: f, pairs: l.pairs, value: value}
	r.metrics <- m
}

func (r *toRegistry) count(f *family, l *labels, value uint64, exemplar *dto.Exemplar) {
	m := r.counts.next()
	*m = count{family: f, pairs: l.pairs, value: float64(value)}
	m.out.CreatedTimestamp, m.out.Exemplar = r.since, exemplar
	r.metrics <- m
}

func (r *toRegistry) spread(f *family, l *labels, s *spread) {
	m := r.distributions.next()
	*m = distribution{family: f, pairs: l.pairs, bars: newBars(f.bounds, s.cumulative), count: s.count, sum: s.sum}
	m.out.CreatedTimestamp = r.since
	if s.native != nil {
		fillNative(&m.out, *s.native)
	}
	if len(s.examples) > 0 {
		m.illustrate(s)
	}
	r.metrics <- m
}

// slab hands out values of arrays: a page of many methods is made of few allocations.
type slab[T any] struct{ free []T }

func (s *slab[T]) next() *T {
	if len(s.free) == 0 {
		s.free = make([]T, 64)
	}
	next := &s.free[0]
	s.free = s.free[1:]
	return next
}

// The metrics below hold what they write. Write is called once.

// level is a gauge at one moment.
type level struct {
	family *family
	pairs  []*dto.LabelPair
	value  float64
	out    dto.Gauge
}

// Desc implements prometheus.Metric.
func (l *level) Desc() *prometheus.Desc { return l.family.desc }

// Write implements prometheus.Metric.
func (l *level) Write(out *dto.Metric) error {
	l.out.Value = &l.value
	out.Label, out.Gauge = l.pairs, &l.out
	return nil
}

// count is a counter at one moment.
type count struct {
	family *family
	pairs  []*dto.LabelPair
	value  float64
	out    dto.Counter // with what else there is to say
}

// Desc implements prometheus.Metric.
func (c *count) Desc() *prometheus.Desc { return c.family.desc }

// Write implements prometheus.Metric.
func (c *count) Write(out *dto.Metric) error {
	c.out.Value = &c.value
	out.Label, out.Counter = c.pairs, &c.out
	return nil
}

// distribution is a histogram at one moment.
type distribution struct {
	family *family
	pairs  []*dto.LabelPair
	bars   []bar
	count  uint64
	sum    float64
	beyond *dto.Exemplar // of what lies above all bars; nil if there is none
	out    dto.Histogram // with what else there is to say
}

// bar is one classic bucket. What the bucket points to lies beside it.
type bar struct {
	cumulative uint64
	bound      *float64
	out        dto.Bucket // with an exemplar, if there is one
}

func newBars(bounds []float64, cumulative []uint64) []bar {
	bars := make([]bar, len(bounds))
	for i := range bars {
		bars[i].cumulative, bars[i].bound = cumulative[i], &bounds[i]
	}
	return bars
}

// illustrate puts the newest exemplar of each classic bucket beside it, and all of them into a native histogram.
// Prometheus takes no exemplar that is older than the last it got, and of those that it has already got takes none.
func (d *distribution) illustrate(s *spread) {
	newest := newestByBound(s.examples, d.family.bounds)
	for i := range d.bars {
		d.bars[i].out.Exemplar = newest[i]
	}
	d.beyond = newest[len(d.bars)]
	if s.native != nil {
		for i := range s.examples {
			d.out.Exemplars = append(d.out.Exemplars, s.examples[i].of(s.examples[i].latency))
		}
	}
}

// Desc implements prometheus.Metric.
func (d *distribution) Desc() *prometheus.Desc { return d.family.desc }

// Write implements prometheus.Metric.
func (d *distribution) Write(out *dto.Metric) error {
	d.out.Bucket = make([]*dto.Bucket, len(d.bars), len(d.bars)+1)
	for i := range d.bars {
		b := &d.bars[i]
		b.out.CumulativeCount, b.out.UpperBound = &b.cumulative, b.bound
		d.out.Bucket[i] = &b.out
	}
	if d.beyond != nil { // the formats add +Inf by themselves unless there is something to say
		d.out.Bucket = append(d.out.Bucket, &dto.Bucket{CumulativeCount: &d.count, UpperBound: new(math.Inf(1)), Exemplar: d.beyond})
	}
	d.out.SampleCount, d.out.SampleSum = &d.count, &d.sum
	out.Label, out.Histogram = d.pairs, &d.out
	return nil
}
