package otelvitals

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The keys of our attributes. Those of calls are the conventions'.
const (
	keyService       = attribute.Key("vitals.service")
	keyStatus        = attribute.Key("vitals.status")
	keyPhase         = attribute.Key("vitals.phase")
	keyCheck         = attribute.Key("vitals.check.name")
	keyUnit          = attribute.Key("vitals.unit")
	keyBreaker       = attribute.Key("vitals.breaker.name")
	keyBreakerState  = attribute.Key("vitals.breaker.state")
	keyBreakerResult = attribute.Key("vitals.breaker.result")
	keyDirection     = attribute.Key("vitals.direction")
	keyReason        = attribute.Key("vitals.reason")
	keySubject       = attribute.Key("vitals.subject")
	keyFrom          = attribute.Key("vitals.from")
	keyTo            = attribute.Key("vitals.to")
	keyText          = attribute.Key("vitals.text")
	keyLasted        = attribute.Key("vitals.lasted")
	keyNames         = attribute.Key("vitals.names")
)

// word makes an attribute. Whatever is not UTF-8 is replaced: one odd name must not cost a whole export.
func word(key attribute.Key, value string) attribute.KeyValue {
	return key.String(strings.ToValidUTF8(value, "\uFFFD"))
}

func with(attributes ...attribute.KeyValue) metric.ObserveOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// count makes a counter of OpenTelemetry, which is signed, of ours. None of ours lives to see the difference.
func count(n uint64) int64 { return int64(n) }
