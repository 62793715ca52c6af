package servicer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/broadcast"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// Server hears the witnesses, judges, and answers. Create it with New, then call Run, or Serve, which does that too.
// It is a healthpb.HealthServer and stands in for the health.Server of grpc-go. All methods may be called concurrently.
type Server struct {
	*healthServer

	cfg       Config // with defaults
	log       *asynclog.Logger
	rules     rules
	witnesses *witnesses
	reports   *broadcast.Value[Report]
	running   atomic.Bool
	// followers counts the loops over Reports and the report streams, which must be woken. outdated is set when a report
	// was left to be made by the next reader. Both are written by whoever speaks or reads; the followers count is raised
	// before the flag is read, so that one of the two sees the other.
	followers atomic.Int64
	outdated  atomic.Bool
	streams   atomic.Int64  // open report streams
	wakeup    chan struct{} // tells the loop to look again; holds one token
	// pulse is what the guard offers and the waiting loop takes; turns counts the turns of the loop, which alone writes
	// it. Together they show whether the loop is stuck.
	pulse chan struct{}
	turns atomic.Uint64

	// mu guards what follows. It is never held across a witness, a log or any other code that is not ours.
	mu          sync.Mutex
	heard       testimony
	silence     silence
	ending      Phase // Starting unless the process is on its way out
	shut        bool
	startup     startup
	standstill  standstill
	history     *history
	maintenance []Maintenance
	services    []string // sorted
	published   map[string]healthpb.HealthCheckResponse_ServingStatus
}

// New returns a Server that judges what the witnesses know now. It starts nothing. The error joins all mistakes,
// each naming the field or the check.
func New(cfg Config) (*Server, error) {
	err := cfg.validate()
	cfg = cfg.withDefaults()
	log := asynclog.New(cfg.Logger)
	s := &Server{
		healthServer: newHealthServer(healthConfig{
			maxWatches: cfg.MaxWatches, maxWatchesPerConn: cfg.MaxWatchesPerConn, logger: log,
		}),
		cfg: cfg,
		log: log,
		rules: rules{
			born: time.Now().UTC(), version: cfg.Version, requests: cfg.Requests, hideChecks: cfg.HideChecks,
		},
		witnesses: newWitnesses(&cfg),
		reports:   broadcast.New(&Report{}),
		wakeup:    make(chan struct{}, 1),
		pulse:     make(chan struct{}),
		history:   newHistory(cfg.TransitionHistory),
		services:  slices.Sorted(slices.Values(cfg.Services)),
	}
	heard, _ := s.witnesses.hear()
	if err := errors.Join(err, mistakes(heard.checks, s.services)); err != nil {
		return nil, err
	}
	s.rejudge(func() { s.believe(heard) })
	return s, nil
}

// mistakes returns what is wrong with checks that share the stage with services.
func mistakes(checks []*checker.Result, services []string) error {
	var errs []error
	reservedNames := reservedMetrics()
	for _, c := range checks {
		if slices.Contains(services, c.Name) {
			errs = append(errs, fmt.Errorf("servicer: check %q has the name of a service", c.Name))
		}
		if slices.Contains(reservedNames, metricName(c)) {
			errs = append(errs, fmt.Errorf("servicer: check %q has the name of a metric", c.Name))
		}
	}
	return errors.Join(errs...)
}

// Report returns the newest edition: two atomic loads. Before Run it is what New found, with what the application has
// said since; after Run it says that nobody judges any more.
func (s *Server) Report() *Report {
	if s.outdated.Load() && s.outdated.CompareAndSwap(true, false) {
		s.rejudge(nil)
	}
	return s.reports.Load()
}

// Changes yields the newest edition at once and then each newer one, until ctx ends or the loop is left. A slow
// reader misses editions, as Report.Revision shows, never goes back, and delays nobody.
func (s *Server) Changes(ctx context.Context) iter.Seq[*Report] {
	return func(yield func(*Report) bool) {
		s.followers.Add(1)
		defer s.followers.Add(-1)
		s.Report() // for what was said before anybody followed
		s.reports.Changes(ctx)(yield)
	}
}

// Phase returns where the process stands in its life: one atomic load.
func (s *Server) Phase() Phase { return s.Report().Phase }

// Details returns who may see raw causes, so that every door decides alike.
func (s *Server) Details() Details { return s.cfg.Details }

// Register registers grpc.health.v1 and vitals.v1.HealthReportService on server. It must be called before the server
// serves; where a health service is registered already, use RegisterReports and UnaryHealthInterceptor.
func (s *Server) Register(server grpc.ServiceRegistrar) {
	s.RegisterHealth(server)
	s.RegisterReports(server)
}

// RegisterHealth registers grpc.health.v1 only.
func (s *Server) RegisterHealth(server grpc.ServiceRegistrar) {
	healthpb.RegisterHealthServer(server, s)
}

// RegisterReports registers vitals.v1.HealthReportService only.
func (s *Server) RegisterReports(server grpc.ServiceRegistrar) {
	vitalspb.RegisterHealthReportServiceServer(server, s.ReportServer())
}

// ReportServer returns the service that RegisterReports registers, for those who serve it in another way. Its answers
// are shared by all callers: nobody may change them.
func (s *Server) ReportServer() vitalspb.HealthReportServiceServer {
	return &reportServer{servicer: s}
}

// SetServingStatus gives the application's own word about a service, as grpc-go's health.Server does, and makes the name
// known. A name that is judged as well serves only if both agree. After Shutdown and while draining the word is
// ignored. Setting what is already set costs nothing.
func (s *Server) SetServingStatus(service string, status healthpb.HealthCheckResponse_ServingStatus) {
	if word, given := s.word(service); given && word == status {
		return
	}
	s.precede(service, status)
	s.healthServer.SetServingStatus(service, status)
	switch {
	case s.running.Load(): // the loop has been told
	case s.followers.Load() > 0:
		s.rejudge(nil)
	default:
		// The names are right already. The report is made when somebody asks for it, so that setting many names one
		// after the other does not make as many reports.
		s.outdated.Store(true)
	}
}

// precede has the judge speak about a new name before the application's word can make it serve: what gates readiness
// gates this name too, and nobody may be told otherwise, not even for a moment.
func (s *Server) precede(service string, status healthpb.HealthCheckResponse_ServingStatus) {
	if status != serving {
		return
	}
	if _, known := s.board.Lookup(service); known {
		return
	}
	if ready, _ := s.board.Lookup(checker.Readiness); ready == serving {
		return
	}
	s.healthServer.SetServingStatus(service, notServing)
	s.rejudge(nil)
}

// Shutdown turns every known name but liveness NOT_SERVING and ignores SetServingStatus until Resume, as grpc-go's
// health.Server does. To end a server use Serve or Drain, which also tell and end the watches.
func (s *Server) Shutdown() {
	s.healthServer.Shutdown()
	s.rejudge(func() { s.shut = true })
}

// Resume ends Shutdown, as grpc-go's health.Server does: every word of the application is SERVING again, and judged
// names follow their judge.
func (s *Server) Resume() {
	s.healthServer.Resume()
	s.rejudge(func() { s.shut = false })
}

// setPhase takes the process to Draining or Stopped.
func (s *Server) setPhase(p Phase) {
	s.rejudge(func() { s.ending = p })
}

// AddServices makes full names of gRPC services known, as Serve does with those of its server, for a server that
// somebody else serves. It reports a name that belongs to a probe or to a check, and a check that gates a service which
// nobody knows, and then changes nothing.
func (s *Server) AddServices(names ...string) error {
	var errs []error
	for _, name := range names {
		if reserved(name) {
			errs = append(errs, fmt.Errorf("servicer: %q is the name of a probe, not of a service", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.learn(names)
}

// learn makes names of registered services known. It returns the mistakes that only show now: a check with the name
// of a service, or one that gates a service which does not exist.
func (s *Server) learn(services []string) error {
	s.mu.Lock()
	all := slices.Concat(s.services, services)
	checks := s.heard.checks
	s.mu.Unlock()
	slices.Sort(all)
	all = slices.Compact(all)
	err := errors.Join(mistakes(checks, all), s.strayGates(checks, all))
	if err != nil {
		return err
	}
	s.rejudge(func() { s.services = all })
	return nil
}

func (s *Server) strayGates(checks []*checker.Result, services []string) error {
	var errs []error
	for _, c := range checks {
		for _, gate := range c.Gates {
			_, spoken := s.word(gate)
			if !reserved(gate) && !spoken && !slices.Contains(services, gate) {
				errs = append(errs, fmt.Errorf("servicer: check %q gates %q, which is no registered service", c.Name, gate))
			}
		}
	}
	return errors.Join(errs...)
}
