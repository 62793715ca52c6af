package servicer

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
)

// SetServingStatus sets the manual status of a service, as grpc-go's health.Server does, and makes the name known. It
// takes effect before it returns, for this name only. A name whose checks fail does not serve regardless of it. The
// manual statuses of "" and readiness are one. After Shutdown and while draining the call is ignored and logged.
// Setting the same status again has no effect.
func (s *Server) SetServingStatus(service string, status healthpb.HealthCheckResponse_ServingStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in.shutdown || s.in.phase >= Draining {
		s.log.Log(slog.LevelInfo, "serving status ignored: the health service is shut down",
			slog.String("service", service), slog.String("status", status.String()))
		return
	}
	if now, set := s.in.manual[manualName(service)]; set && now == status && s.isSet(service) {
		return
	}
	s.setManual(service, status)
	s.wakeRun() // to log the transition
}

// isSet reports whether SetServingStatus was called with this name. It is called under mu.
func (s *Server) isSet(name string) bool {
	_, set := s.in.manual[name]
	return set
}

// Shutdown makes every name but liveness NOT_SERVING and ignores SetServingStatus until Resume, as grpc-go's health.Server
// does. To stop a server use Serve or Drain, which also end the Watch streams.
func (s *Server) Shutdown() {
	s.update(func(in *inputs) { in.shutdown = true })
}

// Resume ends Shutdown and sets every manual status to SERVING, as grpc-go's health.Server does. It does not end a drain.
func (s *Server) Resume() {
	s.update(func(in *inputs) {
		in.shutdown = false
		for name := range in.manual {
			in.manual[name] = serving
		}
		in.setAt = time.Now()
		s.publication.outdate()
	})
}

// AddServices makes the full names of gRPC services known, as Serve does with those of its servers. It changes nothing and
// returns an error that joins all mistakes if a name belongs to a probe or a check, or if a check gates an unknown service.
func (s *Server) AddServices(names ...string) error {
	var errs []error
	for _, name := range names {
		if reserved(name) {
			errs = append(errs, fmt.Errorf("servicer: service name %q is reserved for a probe", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.addServices(names)
}

func (s *Server) addServices(names []string) (err error) {
	s.update(func(in *inputs) {
		all := sortedSet(append(slices.Clone(in.services), names...))
		if err = errors.Join(nameMistakes(in.checks, all), unknownGates(in, all)); err == nil {
			in.services = all
		}
	})
	return err
}

// nameMistakes returns an error for each check that has the name of a service or of one of the report's own metrics.
func nameMistakes(checks []*checker.Result, services []string) error {
	var errs []error
	for _, c := range checks {
		if contains(services, c.Name) {
			errs = append(errs, fmt.Errorf("servicer: check %q has the name of a service", c.Name))
		}
		if c.Kind != checker.Dependency && slices.Contains(reservedMetrics(), c.Name) {
			errs = append(errs, fmt.Errorf("servicer: check %q has the name of a metric of the report", c.Name))
		}
	}
	return errors.Join(errs...)
}

// unknownGates returns an error for each check that gates a service which is neither in services nor set manually.
func unknownGates(in *inputs, services []string) error {
	var errs []error
	for _, c := range in.checks {
		for _, gate := range c.Gates {
			if _, set := in.manual[gate]; !set && !reserved(gate) && !contains(services, gate) {
				errs = append(errs, fmt.Errorf("servicer: check %q gates %q, which is not a registered service", c.Name, gate))
			}
		}
	}
	return errors.Join(errs...)
}
