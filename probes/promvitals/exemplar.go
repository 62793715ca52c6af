package promvitals

import (
	"maps"
	"math"
	"slices"
	"sort"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vitals-go/vitals/interceptor"
)

// exemplar is an exemplar with valid labels.
type exemplar struct {
	*interceptor.Exemplar

	labels labels
}

// exemplarsOf leaves out exemplars that OpenMetrics does not allow, which would make the whole scrape invalid.
func exemplarsOf(all []interceptor.Exemplar) (list []exemplar) {
	for i := range all {
		if labels := exemplarLabels(all[i].Labels); labels != nil {
			list = append(list, exemplar{&all[i], labels})
		}
	}
	return list
}

// exemplarLabels returns nil if a name is invalid or the labels have more than 128 characters.
func exemplarLabels(values map[string]string) labels {
	runes := 0
	pairs := make(labels, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !model.LegacyValidation.IsValidLabelName(name) {
			return nil
		}
		value := labelValue(values[name])
		runes += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
		pairs = append(pairs, &dto.LabelPair{Name: &name, Value: &value})
	}
	if runes > prometheus.ExemplarMaxRunes {
		return nil
	}
	return pairs
}

func (e exemplar) of(value float64) *dto.Exemplar {
	return &dto.Exemplar{Label: e.labels, Value: &value, Timestamp: timestamppb.New(e.Time)}
}

// addExemplars sets the newest exemplar of each classic bucket, and all exemplars of a native histogram.
func (m *histogramMetric) addExemplars(list []exemplar) {
	if len(list) == 0 {
		return
	}
	bounds := m.family.bounds
	times, newest := make([]time.Time, len(bounds)+1), make([]*dto.Exemplar, len(bounds)+1)
	for _, e := range list {
		latency := e.Latency.Seconds()
		if i := sort.SearchFloat64s(bounds, latency); e.Time.After(times[i]) {
			times[i], newest[i] = e.Time, e.of(latency)
		}
		if m.out.Schema != nil {
			m.out.Exemplars = append(m.out.Exemplars, e.of(latency))
		}
	}
	for i := range m.buckets {
		m.buckets[i].out.Exemplar = newest[i]
	}
	if last := newest[len(bounds)]; last != nil { // the formats add the bucket +Inf unless it has an exemplar
		m.out.Bucket = append(m.out.Bucket, &dto.Bucket{CumulativeCount: &m.count, UpperBound: new(math.Inf(1)), Exemplar: last})
	}
}

// newestByCode returns the newest exemplar of each code, nil where there is none.
func newestByCode(list []exemplar) (newest [interceptor.NumCodes]*dto.Exemplar) {
	var times [interceptor.NumCodes]time.Time
	for _, e := range list {
		if e.Time.After(times[e.Code]) {
			times[e.Code], newest[e.Code] = e.Time, e.of(1)
		}
	}
	return newest
}
