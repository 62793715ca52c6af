package promvitals

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// family is one metric name with its labels.
type family struct {
	desc   *prometheus.Desc
	labels []string // sorted, as the exposition wants label pairs
	kind   dto.MetricType
}

func newFamily(kind dto.MetricType, name, help string, labels ...string) *family {
	return &family{desc: prometheus.NewDesc(name, help, labels, nil), labels: labels, kind: kind}
}

// with returns the metric of one combination of label values, in the order of the family's labels.
func (f *family) with(value float64, values ...string) prometheus.Metric {
	return &number{family: f, pairs: pairs(f.labels, values), value: value}
}

// pairs makes label pairs. Whatever is not UTF-8 is replaced: one odd name must not spoil the page.
func pairs(names, values []string) []*dto.LabelPair {
	list := make([]*dto.LabelPair, len(names))
	for i, name := range names {
		value := strings.ToValidUTF8(values[i], "\uFFFD")
		list[i] = &dto.LabelPair{Name: &name, Value: &value}
	}
	return list
}

// number is a counter or a gauge at one moment. What it writes lies inside it: a page of many methods is made of few
// allocations.
type number struct {
	family  *family
	pairs   []*dto.LabelPair
	value   float64
	counter dto.Counter
	gauge   dto.Gauge
}

// Desc implements prometheus.Metric.
func (n *number) Desc() *prometheus.Desc { return n.family.desc }

// Write implements prometheus.Metric. It is called once.
func (n *number) Write(out *dto.Metric) error {
	out.Label = n.pairs
	if n.family.kind == dto.MetricType_COUNTER {
		n.counter.Value = &n.value
		out.Counter = &n.counter
	} else {
		n.gauge.Value = &n.value
		out.Gauge = &n.gauge
	}
	return nil
}

// distribution is a classic histogram at one moment.
type distribution struct {
	family *family
	pairs  []*dto.LabelPair
	bounds []float64
	counts []uint64 // cumulative, one for each bound
	count  uint64
	sum    float64
	out    dto.Histogram
}

// Desc implements prometheus.Metric.
func (d *distribution) Desc() *prometheus.Desc { return d.family.desc }

// Write implements prometheus.Metric. It is called once.
func (d *distribution) Write(out *dto.Metric) error {
	buckets := make([]dto.Bucket, len(d.bounds))
	d.out.Bucket = make([]*dto.Bucket, len(d.bounds))
	for i := range buckets {
		buckets[i].CumulativeCount, buckets[i].UpperBound = &d.counts[i], &d.bounds[i]
		d.out.Bucket[i] = &buckets[i]
	}
	d.out.SampleCount, d.out.SampleSum = &d.count, &d.sum
	out.Label, out.Histogram = d.pairs, &d.out
	return nil
}
