package promvitals

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Family is one metric name: what Families lists. It is plain data.
type Family struct {
	Name string
	// Type is counter, gauge or histogram.
	Type string
	// Help is the sentence on the page.
	Help string
	// Labels, sorted.
	Labels []string
}

// Families lists every name that a Collector can export, sorted: what dashboards and rules are made of. It is the
// caller's own.
func Families() []Family {
	bounds := prometheus.DefBuckets
	all := slices.Concat(healthFamilies[:], newCallFamilies("server", bounds).all, newCallFamilies("client", bounds).all)
	list := make([]Family, len(all))
	for i, f := range all {
		kind := map[dto.MetricType]string{counter: "counter", gauge: "gauge", histogram: "histogram"}[f.kind]
		list[i] = Family{Name: f.name, Type: kind, Help: f.help, Labels: slices.Clone(f.labels)}
	}
	slices.SortFunc(list, func(a, b Family) int { return strings.Compare(a.Name, b.Name) })
	return list
}

const (
	counter   = dto.MetricType_COUNTER
	gauge     = dto.MetricType_GAUGE
	histogram = dto.MetricType_HISTOGRAM
)

// family is one metric name with its labels. It never changes.
type family struct {
	desc       *prometheus.Desc
	name, help string
	labels     []string // sorted, as the exposition wants label pairs
	kind       dto.MetricType
}

func newFamily(kind dto.MetricType, name, help string, labels ...string) *family {
	return &family{desc: prometheus.NewDesc(name, help, labels, nil), name: name, help: help, labels: labels, kind: kind}
}

// with makes the labels of one combination of values, in the order of the family's labels.
func (f *family) with(values ...string) *labels {
	l := &labels{pairs: make([]*dto.LabelPair, len(values))}
	for i, value := range values {
		value = labelValue(value)
		l.pairs[i] = &dto.LabelPair{Name: &f.labels[i], Value: &value}
	}
	return l
}
