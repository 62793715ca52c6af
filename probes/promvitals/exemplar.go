package promvitals

import (
	"maps"
	"slices"
	"sort"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vitals-go/vitals/interceptor"
)

// example is an exemplar of a call as the exposition formats want it.
type example struct {
	time    time.Time
	latency float64 // in seconds
	code    codes.Code
	labels  []*dto.LabelPair
}

// examplesOf translates exemplars. Those that OpenMetrics does not allow are left out: a name that is none, or more than
// 128 characters in all. One odd exemplar must not spoil the page.
func examplesOf(exemplars []interceptor.Exemplar) (list []example) {
	for _, e := range exemplars {
		if labels := exemplarLabels(e.Labels); labels != nil {
			list = append(list, example{e.Time, e.Latency.Seconds(), e.Code, labels})
		}
	}
	return list
}

// exemplarLabels returns nil for labels that cannot be shown.
func exemplarLabels(labels map[string]string) []*dto.LabelPair {
	runes := 0
	pairs := make([]*dto.LabelPair, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if !model.LegacyValidation.IsValidLabelName(name) {
			return nil
		}
		value := labelValue(labels[name])
		runes += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
		pairs = append(pairs, &dto.LabelPair{Name: &name, Value: &value})
	}
	if runes > prometheus.ExemplarMaxRunes {
		return nil
	}
	return pairs
}

// of returns an exemplar of value.
func (e *example) of(value float64) *dto.Exemplar {
	return &dto.Exemplar{Label: e.labels, Value: &value, Timestamp: timestamppb.New(e.time)}
}

// newestByBound returns the newest example of each classic bucket, nil where there is none. The last one is of what lies
// above all bounds.
func newestByBound(list []example, bounds []float64) []*dto.Exemplar {
	times := make([]time.Time, len(bounds)+1)
	newest := make([]*dto.Exemplar, len(bounds)+1)
	for i := range list {
		e := &list[i]
		if bucket := sort.SearchFloat64s(bounds, e.latency); e.time.After(times[bucket]) {
			times[bucket], newest[bucket] = e.time, e.of(e.latency)
		}
	}
	return newest
}

// newestByCode returns the newest example of each code, as an exemplar of the one call that it was.
func newestByCode(list []example) (newest [interceptor.Codes]*dto.Exemplar) {
	var times [interceptor.Codes]time.Time
	for i := range list {
		if e := &list[i]; e.time.After(times[e.code]) {
			times[e.code], newest[e.code] = e.time, e.of(1)
		}
	}
	return newest
}
