package servicer

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/opencalls"
	"github.com/vitals-go/vitals/internal/statusmap"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

type servingStatus = healthpb.HealthCheckResponse_ServingStatus

// Server evaluates checks, breakers and request statistics into a Report and serves it over grpc.health.v1 and the report
// service. It is a drop-in replacement for grpc-go's health.Server. Create it with New, then call Run or Serve; without
// them it evaluates only what SetServingStatus and its other methods change. All methods are safe for concurrent use.
type Server struct {
	healthpb.UnimplementedHealthServer

	cfg       Config // with defaults
	log       *asynclog.Logger
	evaluator evaluator
	sources   sources
	running   atomic.Bool   // Run is running
	wake      chan struct{} // holds a token when Run has to evaluate

	// statuses and publication are what readers see. Both are written under mu.
	statuses    *statusmap.Map[servingStatus]
	publication publication
	watches     *opencalls.Set
	streams     *opencalls.Set           // report streams
	requests    *opencalls.Set           // unary calls that have not received their request
	behindHTTP  atomic.Bool              // written once, by a call of these sets
	targets     atomic.Pointer[[]target] // of ServeAll; nil before
	responses   responses
	rejected    atomic.Uint64 // calls, by the gate interceptors
	override    overrideFile
	probers     *probers

	// mu guards what follows. It is never held across code of users: sources, loggers, streams.
	mu      sync.Mutex
	in      inputs
	current *evaluation
	// namesOutdated: the next evaluation evaluates and publishes all names.
	namesOutdated bool
	tracker       *tracker
	stall         stallTimer
	maintenance   *time.Timer        // evaluates again when the next maintenance ends; nil if there has been none
	evaluated     time.Time          // when the last evaluation ended
	pause         time.Duration      // how long after that manual statuses notify nothing
	notifier      *time.Timer        // notifies after the pause; nil if there has been none
	notifying     bool               // notifier runs
	drainBegan    time.Time          // when Drain was first called
	drains        int                // calls of Drain that have not returned
	began         time.Time          // when Run began
	loggedGates   map[[2]string]bool // unknown ones
	contradicted  bool               // the contradiction has been logged
	unusedSince   time.Time          // since when the server serves without a call; zero while it does not serve
	unusedOver    bool               // a call has come, or it has been logged that none has
	panicked      time.Time          // when a panic of an evaluation was logged; zero once one has succeeded
}

// New returns a Server that has evaluated its sources once. It starts nothing. The error joins all mistakes, each naming
// its field or check.
func New(cfg Config) (*Server, error) {
	err := cfg.validate()
	cfg = cfg.withDefaults()
	started := time.Now()
	s := &Server{
		cfg: cfg,
		log: asynclog.New(cfg.Logger),
		evaluator: evaluator{
			started: started, version: cfg.Version, requests: cfg.Requests, hideChecks: cfg.HideChecks,
			settings: cfg.Settings, configHash: configHash(cfg.Settings),
		},
		sources:   newSources(&cfg),
		wake:      make(chan struct{}, 1),
		statuses:  statusmap.New(healthpb.HealthCheckResponse_SERVICE_UNKNOWN),
		responses: newResponses(),
		probers:   newProbers(started),
		tracker:   newTracker(cfg.TransitionHistory),
		override:  overrideFile{path: cfg.OverrideFile},

		loggedGates: make(map[[2]string]bool),
	}
	s.in.services = sortedSet(allValidUTF8(cfg.Services))
	s.watches = opencalls.New(opencalls.Config{Plural: "watches", Max: cfg.MaxWatches, MaxPerConn: cfg.MaxWatchesPerConn, Unread: s.markUnread, BehindHTTP: &s.behindHTTP})
	s.streams = opencalls.New(opencalls.Config{Plural: "report streams", Max: cfg.MaxReportStreams, MaxPerConn: -1, Unread: s.markUnread, BehindHTTP: &s.behindHTTP})
	s.requests = opencalls.New(opencalls.Config{Plural: "calls", Max: defaultMaxWatches, MaxPerConn: defaultMaxWatchesPerConn, Unary: true, BehindHTTP: &s.behindHTTP})
	read := s.sources.read()
	s.in.groups = newGroups(cfg.Groups)
	if err := errors.Join(err, nameMistakes(&read, s.in.services), s.in.groups.validate(&read, s.in.services)); err != nil {
		return nil, err
	}
	s.update(func(in *inputs) { s.accept(in, read) })
	s.readOverride()
	return s, nil
}

// Report returns the newest report: two atomic loads, plus an evaluation if a manual status has changed since the last.
func (s *Server) Report() *Report {
	if s.publication.outdated.Load() {
		s.update(nil)
	}
	return s.publication.report.Load()
}

// Changed returns a channel that is closed as soon as there is a newer report. To miss nothing, call it before Report.
func (s *Server) Changed() <-chan struct{} { return s.publication.changed() }

// Changes yields the newest report at once and then each newer one; see the function Changes.
func (s *Server) Changes(ctx context.Context) iter.Seq[*Report] { return Changes(ctx, s) }

// Phase returns Report().Phase.
func (s *Server) Phase() Phase { return s.Report().Phase }

// Details returns Config.Details.
func (s *Server) Details() Details { return s.cfg.Details }

// Register registers grpc.health.v1 and vitals.v1.HealthReportService on server, which must not serve yet. Where a health
// service is registered already, use RegisterReports and UnaryHealthInterceptor.
func (s *Server) Register(server grpc.ServiceRegistrar) {
	s.RegisterHealth(server)
	s.RegisterReports(server)
}

// RegisterHealth registers grpc.health.v1 only.
func (s *Server) RegisterHealth(server grpc.ServiceRegistrar) {
	server.RegisterService(opencalls.Service(healthpb.Health_ServiceDesc, s.requests, s.watches), s)
}

// RegisterReports registers vitals.v1.HealthReportService only.
func (s *Server) RegisterReports(server grpc.ServiceRegistrar) {
	server.RegisterService(opencalls.Service(vitalspb.HealthReportService_ServiceDesc, s.requests, s.streams), s.ReportServer())
}

// ReportServer returns the service that RegisterReports registers, to serve it in another way. Callers share its
// responses and must not change them.
func (s *Server) ReportServer() vitalspb.HealthReportServiceServer {
	return &reportServer{server: s}
}
