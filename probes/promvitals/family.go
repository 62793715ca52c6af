package promvitals

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
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
