package vitals

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"

	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/bearer"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// newOutputs creates the health server and what publishes its reports over HTTP and in the file.
func (h *Health) newOutputs() error {
	cfg := &h.cfg
	var serverErr, handlerErr, fileErr error
	h.server, serverErr = servicer.New(h.serverConfig())
	if serverErr != nil {
		h.server, _ = servicer.New(servicer.Config{}) // so that the mistakes of the outputs are reported as well
	}
	metrics, metricsErr := h.metrics()
	h.http, handlerErr = probes.NewHandler(probes.HandlerConfig{
		Source: h.server, Details: cfg.Details, Metrics: metrics, Envoy: cfg.Envoy,
	})
	if cfg.FilePath != "" {
		interval, _ := timeBetween("", cfg.CheckInterval, minCheckInterval) // a wrong one has been reported
		h.file, fileErr = probes.NewFile(probes.FileConfig{
			Path: cfg.FilePath, Source: h.server, Interval: interval, Logger: cfg.Logger,
		})
	}
	if fileErr != nil {
		fileErr = fmt.Errorf("vitals: FilePath (%s): %w", filePathVariable, fileErr)
	}
	return errors.Join(cfg.serverErrors(), serverErr, metricsErr, handlerErr, fileErr)
}

// serverConfig returns Config.Server with what New sets.
func (h *Health) serverConfig() servicer.Config {
	cfg, server := &h.cfg, h.cfg.Server
	server.Checker, server.Recorder, server.Breakers = h.checker, h.recorder, slices.Clone(cfg.Breakers)
	server.Version, server.Requests, server.HideChecks, server.Details = cfg.Version, cfg.Requests, cfg.HideChecks, cfg.Details
	server.DrainDelay, server.ShutdownTimeout, server.Logger = cfg.DrainDelay, cfg.ShutdownTimeout, cfg.Logger
	server.OverrideFile, server.Settings = cfg.OverrideFile, h.settings
	return server
}

// serverErrors returns an error for each field of Config.Server that New would overwrite.
func (cfg *Config) serverErrors() error {
	var errs []error
	server := reflect.ValueOf(cfg.Server)
	for _, field := range fieldsByNew() {
		if !server.FieldByName(field).IsZero() {
			errs = append(errs, fmt.Errorf("vitals: Server.%s: New sets it, from Config", field))
		}
	}
	return errors.Join(errs...)
}

// fieldsByNew are the fields of Config.Server that New sets.
func fieldsByNew() []string {
	return []string{
		"Checker", "Recorder", "Breakers", "Version", "Requests", "HideChecks", "Details", "DrainDelay", "ShutdownTimeout", "Logger",
		"OverrideFile", "Settings",
	}
}

// metrics returns the handler of /metrics, nil without Config.Prometheus.
func (h *Health) metrics() (http.Handler, error) {
	if !h.cfg.Prometheus {
		return nil, nil
	}
	cfg := h.cfg.Metrics
	cfg.Source, cfg.Recorder, cfg.Collectors = h.server, h.recorder, nil
	collector, err := promvitals.New(cfg)
	if err != nil {
		return nil, err
	}
	handler, err := promvitals.Handler(append(slices.Clip(h.cfg.Metrics.Collectors), collector)...)
	if err != nil {
		return nil, fmt.Errorf("vitals: Metrics.Collectors: %w", err)
	}
	return handler, nil
}

// newLoad creates the reporter of load for balancing clients, if Config.LoadReports is set.
func (h *Health) newLoad() (err error) {
	if !h.cfg.LoadReports {
		return nil
	}
	cfg := h.cfg.Load
	cfg.Recorder, cfg.Logger, cfg.Resources = h.recorder, h.cfg.Logger, h.cfg.Resources
	if cfg.Utilization == nil {
		cfg.MaxInFlight = cmp.Or(cfg.MaxInFlight, max(h.cfg.MaxInFlight, 0))
	}
	h.load, err = orcavitals.New(cfg)
	return err
}

// newExporter creates the exporter to OpenTelemetry, if there is a provider.
func (h *Health) newExporter() (err error) {
	if h.cfg.MeterProvider == nil && h.cfg.TracerProvider == nil && h.cfg.MetricProducer == nil {
		return nil
	}
	h.otel, err = otelvitals.New(otelvitals.Config{
		Source:         h.server,
		Recorder:       h.recorder,
		MeterProvider:  h.cfg.MeterProvider,
		TracerProvider: h.cfg.TracerProvider,
		Producer:       h.cfg.MetricProducer,
	})
	return err
}

// Close ends the export to Config.MeterProvider and Config.MetricProducer, to which a later Health may then export: counters
// continue. It is needed only if they outlive h; call it after the last flush, which exports the final state. It may be
// called more than once.
func (h *Health) Close() error {
	if h.otel == nil {
		return nil
	}
	return h.otel.Close()
}

// tokens sets cfg.Details.Tokens if there is a token file, called field in errors; without a log it only checks for mistakes.
func (cfg *Config) tokens(field string, log *slog.Logger) error {
	if cfg.DetailsTokenFile == "" {
		return nil
	}
	tokens, err := bearer.New(bearer.Config{File: cfg.DetailsTokenFile, Logger: log})
	if err != nil {
		err = fmt.Errorf("%s: %w", field, err)
	}
	if cfg.Details.Policy == servicer.DetailsAlways && cfg.Details.Authorize == nil {
		err = errors.Join(err, fmt.Errorf("%s: has no effect while every caller sees details (PLUGIN_HEALTH_DETAILS=always)", field))
	}
	if cfg.Details.Tokens != nil {
		err = errors.Join(err, fmt.Errorf("%s: only one of it and Details.Tokens can be set", field))
	}
	if err == nil && log != nil {
		cfg.Details.Tokens = tokens
	}
	return err
}
