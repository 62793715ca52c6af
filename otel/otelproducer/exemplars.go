package otelproducer

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vitals-go/vitals/interceptor"
)

// exemplars returns those of the methods that belong to a point; nil if there are none.
func exemplars(methods []interceptor.Method, belongs func(*interceptor.Exemplar) bool) (list []metricdata.Exemplar[float64]) {
	for i := range methods {
		for j := range methods[i].Exemplars {
			if e := &methods[i].Exemplars[j]; belongs(e) {
				list = append(list, exemplar(e))
			}
		}
	}
	return list
}

// exemplar translates one. An identity that is none of W3C's trace context stays an attribute.
func exemplar(e *interceptor.Exemplar) metricdata.Exemplar[float64] {
	out := metricdata.Exemplar[float64]{Time: e.Time, Value: e.Latency.Seconds()}
	for _, name := range slices.Sorted(maps.Keys(e.Labels)) {
		value := e.Labels[name]
		id, err := hex.DecodeString(value)
		switch {
		case err == nil && name == "trace_id" && len(id) == 16:
			out.TraceID = id
		case err == nil && name == "span_id" && len(id) == 8:
			out.SpanID = id
		default:
			out.FilteredAttributes = append(out.FilteredAttributes,
				attribute.String(strings.ToValidUTF8(name, "\uFFFD"), strings.ToValidUTF8(value, "\uFFFD")))
		}
	}
	return out
}
