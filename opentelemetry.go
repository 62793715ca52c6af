package vitals

import otelvitals "github.com/vitals-go/vitals/otel"

// exportToOTel makes the herald for OpenTelemetry, if it is wanted.
func (h *Health) exportToOTel() (err error) {
	if h.cfg.MeterProvider == nil && h.cfg.TracerProvider == nil && h.cfg.MetricProducer == nil {
		return nil
	}
	h.otel, err = otelvitals.New(otelvitals.Config{
		Source:         h.Server,
		Recorder:       h.Recorder,
		MeterProvider:  h.cfg.MeterProvider,
		TracerProvider: h.cfg.TracerProvider,
		Producer:       h.cfg.MetricProducer,
	})
	return err
}

// Close takes our callback from Config.MeterProvider. It is only needed if that lives on: close after the provider's
// last flush, which then still exports how it ended. Closing again does nothing.
func (h *Health) Close() error {
	if h.otel == nil {
		return nil
	}
	return h.otel.Close()
}
