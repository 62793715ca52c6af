package otelvitals

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vitals-go/vitals/internal/errtext"
)

// The attributes other than those of calls, which are the conventions'.
const (
	keyService       = attribute.Key("vitals.service")
	keyStatus        = attribute.Key("vitals.status")
	keyPhase         = attribute.Key("vitals.phase")
	keyCheck         = attribute.Key("vitals.check.name")
	keyCause         = attribute.Key("vitals.cause")
	keyUnit          = attribute.Key("vitals.unit")
	keyValue         = attribute.Key("vitals.value.name")
	keyBreaker       = attribute.Key("vitals.breaker.name")
	keyBreakerState  = attribute.Key("vitals.breaker.state")
	keyBreakerResult = attribute.Key("vitals.breaker.result")
	keyProber        = attribute.Key("vitals.prober")
	keyProtocol      = attribute.Key("vitals.protocol")
	keyProbeState    = attribute.Key("vitals.probe.state")
	keyDirection     = attribute.Key("vitals.direction")
	keyReason        = attribute.Key("vitals.reason")
	keySubject       = attribute.Key("vitals.subject")
	keyFrom          = attribute.Key("vitals.from")
	keyTo            = attribute.Key("vitals.to")
	keyText          = attribute.Key("vitals.text")
	keyPreviousFor   = attribute.Key("vitals.previous_state_seconds")
	keyNames         = attribute.Key("vitals.names")
)

// validString returns an attribute whose value is valid UTF-8: OTLP rejects the whole export otherwise.
func validString(key attribute.Key, value string) attribute.KeyValue {
	return key.String(errtext.Valid(value))
}

func with(attributes ...attribute.KeyValue) metric.ObserveOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

func set(attributes ...attribute.KeyValue) attribute.Set { return attribute.NewSet(attributes...) }

func boolValue(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// builder creates instruments and keeps the observable ones and all errors.
type builder struct {
	meter       metric.Meter
	observables []metric.Observable
	errs        []error
}

func (b *builder) counter(name, unit, help string) *counter {
	i, err := b.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(help))
	if err != nil {
		b.errs = append(b.errs, err)
	}
	return &counter{to: i, last: map[attribute.Distinct]uint64{}, next: map[attribute.Distinct]uint64{}}
}

// upDown creates an instrument for what can be added up over processes: a number of things that come and go, or a state,
// which is 1 for the current one and 0 for the others.
func (b *builder) upDown(name, unit, help string) metric.Int64ObservableUpDownCounter {
	i, err := b.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
	b.keep(i, err)
	return i
}

// gauge creates an instrument for what cannot be added up.
func (b *builder) gauge(name, unit, help string) metric.Float64ObservableGauge {
	i, err := b.meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(help))
	b.keep(i, err)
	return i
}

func (b *builder) keep(i metric.Observable, err error) {
	b.observables = append(b.observables, i)
	if err != nil {
		b.errs = append(b.errs, err)
	}
}
