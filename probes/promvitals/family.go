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

func newFamily(kind dto.MetricType, name, help string, labels ...string) family {
	return family{desc: prometheus.NewDesc(name, help, labels, nil), labels: labels, kind: kind}
}

// with returns the metric of one combination of label values, in the order of the family's labels.
func (f family) with(value float64, values ...string) prometheus.Metric {
	return number{family: f, pairs: pairs(f.labels, values), value: value}
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

// number is a counter or a gauge at one moment.
type number struct {
	family
	pairs []*dto.LabelPair
	value float64
}

// Desc implements prometheus.Metric.
func (n number) Desc() *prometheus.Desc { return n.desc }

// Write implements prometheus.Metric.
func (n number) Write(out *dto.Metric) error {
	out.Label = n.pairs
	if n.kind == dto.MetricType_COUNTER {
		out.Counter = &dto.Counter{Value: &n.value}
	} else {
		out.Gauge = &dto.Gauge{Value: &n.value}
	}
	return nil
}

// distribution is a classic histogram at one moment.
type distribution struct {
	family
	pairs  []*dto.LabelPair
	bounds []float64
	counts []uint64 // cumulative, one for each bound
	count  uint64
	sum    float64
}

// Desc implements prometheus.Metric.
func (d distribution) Desc() *prometheus.Desc { return d.desc }

// Write implements prometheus.Metric.
func (d distribution) Write(out *dto.Metric) error {
	buckets := make([]dto.Bucket, len(d.bounds))
	list := make([]*dto.Bucket, len(d.bounds))
	for i := range buckets {
		buckets[i].CumulativeCount, buckets[i].UpperBound = &d.counts[i], &d.bounds[i]
		list[i] = &buckets[i]
	}
	out.Label = d.pairs
	out.Histogram = &dto.Histogram{SampleCount: &d.count, SampleSum: &d.sum, Bucket: list}
	return nil
}
