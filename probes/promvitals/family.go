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
	server, client := newSides(prometheus.DefBuckets)
	all := slices.Concat(healthFamilies, server.all, client.all)
	list := make([]Family, len(all))
	for i, f := range all {
		list[i] = Family{Name: f.name, Type: f.kind, Help: f.help, Labels: slices.Clone(f.labels)}
	}
	slices.SortFunc(list, func(a, b Family) int { return strings.Compare(a.Name, b.Name) })
	return list
}

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// family is one metric name with its labels. Once placed, it never changes.
type family struct {
	desc             *prometheus.Desc
	name, help, kind string
	labels           []string  // sorted, as the exposition wants label pairs
	bounds           []float64 // of a histogram's classic buckets, in seconds

	// What toText needs: where the family lies among all, its first lines, and the last label of each bucket.
	place int
	head  [formats]string
	le    [formats][]string
}

func newFamily(kind, name, help string, labels ...string) *family {
	f := &family{desc: prometheus.NewDesc(name, help, labels, nil), name: name, help: help, kind: kind, labels: labels}
	for format := range formats {
		f.head[format] = format.headOf(name, help, kind)
	}
	return f
}

// placed gives families their places, one after the other.
func placed(first int, families ...*family) []*family {
	for i, f := range families {
		f.place = first + i
	}
	return families
}

// over gives a histogram its buckets. It needs another label: toText puts a bucket's bound behind it.
func (f *family) over(bounds []float64) *family {
	f.bounds = bounds
	for format := range formats {
		f.le[format] = format.boundText(bounds)
	}
	return f
}

// suffixes are those of the names of its series.
func (f *family) suffixes() []string {
	if f.kind == histogram {
		return []string{"", "_bucket", "_sum", "_count"}
	}
	return []string{""}
}

// with makes the labels of one combination of values, in the order of the family's labels.
func (f *family) with(values ...string) *labels {
	pairs := make([]*dto.LabelPair, len(values))
	for i, value := range values {
		value = labelValue(value)
		pairs[i] = &dto.LabelPair{Name: &f.labels[i], Value: &value}
	}
	return &labels{pairs: pairs, text: labelText(pairs)}
}
