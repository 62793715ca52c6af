package vitals

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// Health is everything wired together: the witnesses, the judge and the doors. Create it with New, give its
// ServerOptions to grpc.NewServer, and let Serve run it all. The parts are there to be used: add a check at run time,
// read the report, set a name's status. All methods may be called concurrently; of Serve and Run only one, once.
type Health struct {
	Checker      *checker.Checker
	Recorder     *interceptor.Recorder
	Server       *servicer.Server
	LoadReporter *orcavitals.Reporter // nil unless Config.LoadReports

	cfg  Config
	tls  listenerTLS
	http *probes.Handler
	used atomic.Bool          // Serve or Run has been called
	plug atomic.Bool          // PluginServer has made a server
	file *probes.File         // nil if there is none
	otel *otelvitals.Exporter // nil if there is none
	log  *slog.Logger
}

// New validates cfg, reads the files that it names and wires the parts. It starts nothing, opens no port and reports every
// mistake at once.
func New(cfg Config) (*Health, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Recorder.Logger == nil {
		cfg.Recorder.Logger = cfg.Logger
	}
	checks, checksErr := cfg.allChecks()
	tokensErr := cfg.authorize(cfg.Logger)
	speaks, tlsErr := cfg.listenerTLS(cfg.Logger)
	h := &Health{cfg: cfg, tls: speaks, log: cfg.Logger}
	var checkerErr, recorderErr error
	h.Checker, checkerErr = checker.New(checker.Config{
		Checks: checks, Logger: cfg.Logger, Wrap: otelvitals.CheckSpans(cfg.TracerProvider, cfg.Details),
	})
	h.Recorder, recorderErr = interceptor.New(cfg.Recorder)
	if err := errors.Join(
		checksErr, cfg.addressErrors(addressField), tokensErr, tlsErr, checkerErr, recorderErr, h.reportLoad(), h.newOutputs(),
	); err != nil {
		return nil, err
	}
	if err := h.exportToOTel(); err != nil { // last, so that no mistake leaves a callback with the provider
		return nil, err
	}
	for _, variable := range cfg.unknownVariables {
		h.log.Warn("unknown environment variable", slog.String("variable", variable[0]), slog.String("nearest", variable[1]))
	}
	return h, nil
}

// newOutputs makes the judge of what witnesses there are, and the heralds, which listen and write only when they run.
func (h *Health) newOutputs() error {
	cfg := &h.cfg
	var serverErr, handlerErr, fileErr error
	h.Server, serverErr = servicer.New(servicer.Config{
		Checker:         h.Checker,
		Recorder:        h.Recorder,
		Breakers:        slices.Clone(cfg.Breakers),
		Version:         cfg.Version,
		Requests:        cfg.Requests,
		HideChecks:      cfg.HideChecks,
		Details:         cfg.Details,
		DrainDelay:      cfg.DrainDelay,
		ShutdownTimeout: cfg.ShutdownTimeout,
		Logger:          cfg.Logger,
	})
	if serverErr != nil {
		h.Server, _ = servicer.New(servicer.Config{}) // stands in, so that the mistakes of the doors show as well
	}
	metrics, metricsErr := h.metrics()
	h.http, handlerErr = probes.NewHandler(probes.HandlerConfig{
		Source:  h.Server,
		Details: cfg.Details,
		Metrics: metrics,
		Envoy:   cfg.Envoy,
		Logger:  h.log,
	})
	if cfg.FilePath != "" {
		h.file, fileErr = probes.NewFile(probes.FileConfig{
			Path:     cfg.FilePath,
			Source:   h.Server,
			Interval: max(cfg.CheckInterval, 0), // a negative one is told already
			Logger:   h.log,
		})
	}
	if fileErr != nil {
		fileErr = fmt.Errorf("vitals: FilePath (%s): %w", filePathVariable, fileErr)
	}
	return errors.Join(serverErr, metricsErr, handlerErr, fileErr)
}

// metrics returns the page for Prometheus, nil if nobody asked for it: then /metrics is not found.
func (h *Health) metrics() (http.Handler, error) {
	if !h.cfg.Prometheus {
		return nil, nil
	}
	config := h.cfg.Metrics
	config.Source, config.Recorder = h.Server, h.Recorder
	collector, err := promvitals.New(config)
	if err != nil {
		return nil, err
	}
	return promvitals.Handler(collector)
}

const handshakeTimeout = 10 * time.Second

// ServerOptions make a server healthy. They are interceptors, in their order: health is answered before anything
// else, so that an interceptor that asks for credentials does not reject probes; then calls tell Envoy and balancing
// clients how the server is, if Config.Envoy and Config.LoadReports want it; then every call is recorded; then a panic of
// the handler becomes codes.Internal, with the stack in the log only. They also bound a connection's handshake to 10 s.
// Give them to grpc.NewServer before your own.
func (h *Health) ServerOptions() []grpc.ServerOption {
	options := []grpc.ServerOption{
		// A peer that connects and says nothing would otherwise hold up a graceful end for two minutes.
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.ChainUnaryInterceptor(h.Server.UnaryHealthInterceptor),
		grpc.ChainStreamInterceptor(h.Server.StreamHealthInterceptor),
	}
	if h.cfg.Envoy {
		options = append(options, grpc.ChainUnaryInterceptor(h.Server.UnaryEnvoyInterceptor), grpc.ChainStreamInterceptor(h.Server.StreamEnvoyInterceptor))
	}
	if h.LoadReporter != nil {
		options = append(options, h.LoadReporter.ServerOptions()...)
	}
	return append(options, h.Recorder.ServerOptions()...)
}

// Handler is the HTTP door, for those who mount it on a server of their own instead of naming Config.HTTPAddr. The history
// on its status page then has gaps while nobody looks.
func (h *Health) Handler() http.Handler { return h.http }

// Report returns the newest edition of the verdict: one atomic load.
func (h *Health) Report() *servicer.Report { return h.Server.Report() }

// Register registers on server the health and report services, and the one for load reports if they are wanted, unless
// they are registered already, and tells the recorder which methods there are. Serve does it; call it yourself, once all
// services are registered, for a server that you serve yourself.
func (h *Health) Register(server *grpc.Server) {
	registered := server.GetServiceInfo()
	if _, found := registered["grpc.health.v1.Health"]; !found {
		h.Server.RegisterHealth(server)
	}
	if _, found := registered["vitals.v1.HealthReportService"]; !found {
		h.Server.RegisterReports(server)
	}
	if _, found := registered[orcavitals.ServiceName]; !found && h.LoadReporter != nil {
		h.LoadReporter.Register(server)
	}
	h.Recorder.Register(server)
}
