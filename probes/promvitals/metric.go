package promvitals

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The metrics below hold what they write: a page of many methods is made of few allocations. Write is called once.

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
	since  *timestamppb.Timestamp // nil if unknown
	out    dto.Counter            // with an exemplar, if there is one
}

// Desc implements prometheus.Metric.
func (c *count) Desc() *prometheus.Desc { return c.family.desc }

// Write implements prometheus.Metric.
func (c *count) Write(out *dto.Metric) error {
	c.out.Value, c.out.CreatedTimestamp = &c.value, c.since
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
	since  *timestamppb.Timestamp // nil if unknown
	beyond *dto.Exemplar          // of what lies above all bars; nil if there is none
	out    dto.Histogram          // with native buckets and exemplars, if there are any
}

// bar is one classic bucket. What the bucket points to lies beside it.
type bar struct {
	cumulative uint64
	bound      *float64
	out        dto.Bucket // with an exemplar, if there is one
}

// newBars returns empty bars of the bounds.
func newBars(bounds []float64) []bar {
	bars := make([]bar, len(bounds))
	for i := range bars {
		bars[i].bound = &bounds[i]
	}
	return bars
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
	if d.beyond != nil {
		d.out.Bucket = append(d.out.Bucket, &dto.Bucket{CumulativeCount: &d.count, UpperBound: new(math.Inf(1)), Exemplar: d.beyond})
	}
	d.out.SampleCount, d.out.SampleSum, d.out.CreatedTimestamp = &d.count, &d.sum, d.since
	out.Label, out.Histogram = d.pairs, &d.out
	return nil
}
