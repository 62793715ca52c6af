package vitals

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// logWarnings logs what is valid, but hardly meant.
func (h *Health) logWarnings() {
	for _, variable := range h.cfg.unknownVariables {
		h.log.Log(slog.LevelWarn, "unknown environment variable", slog.String("variable", variable[0]), slog.String("nearest", variable[1]))
	}
	for _, w := range h.cfg.warnings() {
		h.log.Log(slog.LevelWarn, "setting is probably a mistake", slog.String("setting", w[0]), slog.String("text", w[1]))
	}
}

// warnings returns settings, each with what is odd about it and what was probably meant.
func (cfg *Config) warnings() (found [][2]string) {
	add := func(setting, format string, args ...any) {
		found = append(found, [2]string{setting, fmt.Sprintf(format, args...)})
	}
	for _, limit := range []struct {
		setting string
		limit   checker.Limit
	}{
		{"Resources.CPU (PLUGIN_RESOURCE_CPU_THRESHOLD)", cfg.Resources.CPU},
		{"Resources.Memory (PLUGIN_RESOURCE_MEMORY_THRESHOLD)", cfg.Resources.Memory},
		{"Resources.Disk (PLUGIN_RESOURCE_DISK_THRESHOLD)", cfg.Resources.Disk},
	} {
		if value := limit.limit.Value(); value > 0 && value <= 1 {
			add(limit.setting, "got %v %%; want a percentage such as %v", value, value*100)
		}
	}
	for _, rate := range []struct {
		setting string
		value   float64
	}{{"Requests.SuccessCritical", cfg.Requests.SuccessCritical}, {"Requests.SuccessWarning", cfg.Requests.SuccessWarning}} {
		if rate.value > 0 && rate.value <= 1 {
			add(rate.setting, "got %v %%; want a percentage such as %v", rate.value, rate.value*100)
		}
	}
	for _, d := range []struct {
		setting string
		value   time.Duration
	}{
		{"DrainDelay", cfg.DrainDelay},
		{"ShutdownTimeout", cfg.ShutdownTimeout},
		{"Requests.LatencyCritical", cfg.Requests.LatencyCritical},
		{"Requests.LatencyWarning", cfg.Requests.LatencyWarning},
		{"Requests.StuckAfter", cfg.Requests.StuckAfter},
		{"Recorder.Window", cfg.Recorder.Window},
	} {
		if d.value > 0 && d.value < time.Microsecond {
			add(d.setting, "got %v; want a time.Duration, such as %d * time.Second", d.value, d.value.Nanoseconds())
		}
	}
	if startedByPluginHost() { // whose environment was not made for this process
		return found
	}
	if cfg.HTTPAddr == "" && cfg.Prometheus {
		add("Prometheus (PLUGIN_ENABLE_PROMETHEUS)", "HTTPAddr (%s) is empty: /metrics is where Handler is mounted, and nowhere else", httpAddrVariable)
	}
	if cfg.HTTPAddr == "" && cfg.HealthGRPCAddr == "" && cfg.TLS != (TLSFiles{}) {
		add("TLS ("+tlsCertVariable+")", "there is no listener for it: HTTPAddr (%s) and HealthGRPCAddr (%s) are empty", httpAddrVariable, grpcAddrVariable)
	}
	if cfg.Details.Policy == servicer.DetailsCertificate && cfg.HTTPAddr != "" && !cfg.httpKnowsClients() {
		add("Details.Policy (PLUGIN_HEALTH_DETAILS)", "HTTP callers cannot present a certificate without TLS.ClientCA (%s)", tlsClientCAVariable)
	}
	return found
}

// httpKnowsClients reports whether the HTTP listener verifies client certificates.
func (cfg *Config) httpKnowsClients() bool {
	if cfg.HTTPTLS != nil {
		return cfg.HTTPTLS.ClientCAs != nil || cfg.HTTPTLS.GetConfigForClient != nil
	}
	return cfg.TLS.ClientCA != ""
}
