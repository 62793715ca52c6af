package vitals

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/connlimit"
	"github.com/vitals-go/vitals/internal/safefile"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/orcavitals"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// Health is the checker, the recorder, the health server and the outputs of one process, created from one Config. Create it with
// New, give its ServerOptions to grpc.NewServer, and call Serve. All methods are safe for concurrent use.
type Health struct {
	checker  *checker.Checker
	recorder *interceptor.Recorder
	server   *servicer.Server
	limiter  *interceptor.Limiter // nil unless Config.MaxInFlight; one for all servers
	load     *orcavitals.Reporter // nil unless Config.LoadReports
	http     *probes.Handler
	file     *probes.File         // nil without Config.FilePath
	otel     *otelvitals.Exporter // nil without a provider

	cfg       Config // with defaults
	settings  []servicer.Setting
	tls       listenerTLS
	log       *asynclog.Logger
	lastWords lastWords
	used      atomic.Bool                           // Serve or Run has been called
	selfCheck atomic.Pointer[selfCheck]             // while Serve makes one
	isPlugin  atomic.Bool                           // PluginServer has made a server
	main      atomic.Pointer[[]*connlimit.Listener] // those of Serve
}

// New validates cfg, reads the files that it names and creates all components. It starts nothing and opens no port. The error
// joins all mistakes, each naming its field or variable.
func New(cfg Config) (*Health, error) {
	settings := cfg.settings()
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
		if startedByPluginHost() {
			cfg.Logger = asynclog.PluginLogger(os.Stderr)
		}
	}
	log := asynclog.New(cfg.Logger)
	cfg.Logger = slog.New(log.Handler()) // so that all components share one queue
	defer log.Flush(asynclog.Grace)
	cfg.Recorder.Logger = slog.New(asynclog.New(cmp.Or(cfg.Recorder.Logger, cfg.Logger)).Handler())
	checks, checksErr := cfg.allChecks()
	tokensErr := cfg.tokens("vitals: DetailsTokenFile ("+tokenFileVariable+")", cfg.Logger)
	tlsConfigs, tlsErr := cfg.listenerTLS(cfg.Logger)
	cfg.TerminationLog = safefile.Abs(cfg.TerminationLog)
	h := &Health{cfg: cfg, settings: settings, tls: tlsConfigs, log: log}
	if cfg.MaxInFlight > 0 {
		h.limiter = interceptor.NewLimiter(cfg.MaxInFlight)
	}
	var checkerErr, recorderErr error
	h.checker, checkerErr = checker.New(checker.Config{
		Checks: checks, Logger: slog.New(log.Deferred().Handler()), Wrap: otelvitals.CheckSpans(cfg.TracerProvider, cfg.Details),
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
	h.logWarnings()
	return h, nil
}

// Checker returns the checker that runs Config.Dependencies, Config.Checks and the resource checks, to add, replace and
// remove checks.
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

// Registrar is a server such as *grpc.Server, *xds.GRPCServer, or one of a framework.
type Registrar interface {
	grpc.ServiceRegistrar
	GetServiceInfo() map[string]grpc.ServiceInfo
}

// Register registers the health service, the report service and, with Config.LoadReports, the load report service on
// server, unless they are registered already, and makes its services known to health and recorder. Call it for each server
// that other code serves, once all its services are registered; Serve does so by itself. A check that has the name of a
// service is logged, and then no service of server is known; a check that gates an unknown service is logged during Run.
func (h *Health) Register(server Registrar) {
	h.register(server)
	h.addServices(server)
}

// RegisterWithoutHealth is Register for a server on which a framework registers a health service of its own afterwards: a
// second registration would end the process. The interceptors of ServerOptions handle health requests before that service.
func (h *Health) RegisterWithoutHealth(server Registrar) {
	h.registerReports(server)
	h.addServices(server)
}

func (h *Health) register(server Registrar) {
	if _, found := server.GetServiceInfo()[healthpb.Health_ServiceDesc.ServiceName]; !found {
		h.server.RegisterHealth(server)
	}
	h.registerReports(server)
}

// registered reports whether register would add nothing to server.
func (h *Health) registered(server Registrar) bool {
	services := server.GetServiceInfo()
	has := func(name string) bool { _, found := services[name]; return found }
	return has(healthpb.Health_ServiceDesc.ServiceName) && has(vitalspb.HealthReportService_ServiceDesc.ServiceName) &&
		(h.load == nil || has(orcavitals.ServiceName))
}

func (h *Health) registerReports(server Registrar) {
	registered := server.GetServiceInfo()
	if _, found := registered[vitalspb.HealthReportService_ServiceDesc.ServiceName]; !found {
		h.server.RegisterReports(server)
	}
	if _, found := registered[orcavitals.ServiceName]; !found && h.load != nil {
		h.load.Register(server)
	}
	h.recorder.Register(server)
}

// addServices makes the services of server known to the health server and reports whether it accepts them.
func (h *Health) addServices(server Registrar, more ...string) bool {
	err := h.server.AddServices(slices.AppendSeq(more, maps.Keys(server.GetServiceInfo()))...)
	if err != nil {
		h.log.Log(slog.LevelError, "services rejected by the health server", slog.String("error", err.Error()))
	}
	return err == nil
}
