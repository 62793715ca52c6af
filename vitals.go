package vitals

import (
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// Health is the checker, the recorder, the health server and the outputs of one process, created from one Config. Create it with
// New, give its ServerOptions to grpc.NewServer, and call Serve. All methods are safe for concurrent use.
type Health struct {
	checker  *checker.Checker
	recorder *interceptor.Recorder
	server   *servicer.Server
	load     *orcavitals.Reporter // nil unless Config.LoadReports
	http     *probes.Handler
	file     *probes.File         // nil without Config.FilePath
	otel     *otelvitals.Exporter // nil without a provider

	cfg      Config // with defaults
	tls      listenerTLS
	log      *slog.Logger
	used     atomic.Bool // Serve or Run has been called
	isPlugin atomic.Bool // PluginServer has made a server
}

// New validates cfg, reads the files that it names and creates all components. It starts nothing and opens no port. The error
// joins all mistakes, each naming its field or variable.
func New(cfg Config) (*Health, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Recorder.Logger == nil {
		cfg.Recorder.Logger = cfg.Logger
	}
	checks, checksErr := cfg.allChecks()
	tokensErr := cfg.tokens("vitals: DetailsTokenFile ("+tokenFileVariable+")", cfg.Logger)
	tlsConfigs, tlsErr := cfg.listenerTLS(cfg.Logger.With("logger", "plugin.health"))
	h := &Health{cfg: cfg, tls: tlsConfigs, log: cfg.Logger.With("logger", "plugin.health")}
	var checkerErr, recorderErr error
	h.checker, checkerErr = checker.New(checker.Config{
		Checks: checks, Logger: cfg.Logger, Wrap: otelvitals.CheckSpans(cfg.TracerProvider, cfg.Details),
	})
	h.recorder, recorderErr = interceptor.New(cfg.Recorder)
	if err := errors.Join(
		checksErr, cfg.addressErrors(addressField), tokensErr, tlsErr, checkerErr, recorderErr, h.newLoad(), h.newOutputs(),
	); err != nil {
		return nil, err
	}
	if err := h.newExporter(); err != nil { // last, because it registers a callback with the provider
		return nil, err
	}
	for _, variable := range cfg.unknownVariables {
		h.log.Warn("unknown environment variable", slog.String("variable", variable[0]), slog.String("nearest", variable[1]))
	}
	return h, nil
}

// Checker returns the checker that runs Config.Dependencies, Config.Checks and the resource checks, to add and remove
// checks.
func (h *Health) Checker() *checker.Checker { return h.checker }

// Recorder returns the recorder of calls, to record other work than gRPC calls, or to read statistics.
func (h *Health) Recorder() *interceptor.Recorder { return h.recorder }

// Server returns the health server, to set serving statuses and maintenance, or to follow reports.
func (h *Health) Server() *servicer.Server { return h.server }

// LoadReporter returns the reporter of load, nil unless Config.LoadReports is set.
func (h *Health) LoadReporter() *orcavitals.Reporter { return h.load }

// Handler returns the HTTP endpoints, to mount them on another server than that of Config.HTTPAddr.
func (h *Health) Handler() http.Handler { return h.http }

// Report returns the newest report: two atomic loads.
func (h *Health) Report() *servicer.Report { return h.server.Report() }

// Register registers the health service, the report service and, with Config.LoadReports, the load report service on
// server, unless they are registered already, and makes its methods known to the recorder. Serve calls it; call it for a
// server that other code serves, once all its services are registered.
func (h *Health) Register(server *grpc.Server) {
	registered := server.GetServiceInfo()
	if _, found := registered["grpc.health.v1.Health"]; !found {
		h.server.RegisterHealth(server)
	}
	if _, found := registered["vitals.v1.HealthReportService"]; !found {
		h.server.RegisterReports(server)
	}
	if _, found := registered[orcavitals.ServiceName]; !found && h.load != nil {
		h.load.Register(server)
	}
	h.recorder.Register(server)
}
