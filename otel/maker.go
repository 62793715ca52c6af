package otelvitals

import "go.opentelemetry.io/otel/metric"

// maker makes instruments and remembers them, and all that went wrong.
type maker struct {
	meter metric.Meter
	made  []metric.Observable
	errs  []error
}

// counter makes an instrument for what only grows.
func (m *maker) counter(name, unit, help string) metric.Int64ObservableCounter {
	i, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.keep(i, err)
	return i
}

// level makes an instrument for what can be added up over processes: a number of things that come and go, or a state,
// which is 1 for the one that something is in and 0 for the others.
func (m *maker) level(name, unit, help string) metric.Int64ObservableUpDownCounter {
	i, err := m.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.keep(i, err)
	return i
}

// gauge makes an instrument for what cannot be added up.
func (m *maker) gauge(name, unit, help string) metric.Float64ObservableGauge {
	i, err := m.meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.keep(i, err)
	return i
}

func (m *maker) keep(i metric.Observable, err error) {
	m.made = append(m.made, i)
	if err != nil {
		m.errs = append(m.errs, err)
	}
}
