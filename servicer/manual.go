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
// Setting the same status again has no effect. Watch sends every change that its client is fast enough for; the report may
// show changes of one name within a tenth of a second as one transition.
func (s *Server) SetServingStatus(service string, status healthpb.HealthCheckResponse_ServingStatus) {
	service = validUTF8(service)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in.shutdown || s.in.phase >= Draining {
		s.log.Log(slog.LevelInfo, "serving status ignored: the health service is shut down",
			slog.String("service", service), slog.String("status", status.String()))
		return
	}
	if now, set := s.in.manual[service]; set && now == status && s.in.manual[manualName(service)] == status {
		return
	}
	s.setManual(service, status)
	s.wakeRun() // to log the transition
}

// RemoveServingStatus undoes SetServingStatus: the name follows its checks again. One that is no registered service, check
// or probe becomes unknown: Check fails with NOT_FOUND, and Watch sends SERVICE_UNKNOWN. It takes effect before it returns.
// It has no effect on a name that is not set, after Shutdown and while draining.
func (s *Server) RemoveServingStatus(service string) {
	service = manualName(validUTF8(service))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isSet(service) || s.in.shutdown || s.in.phase >= Draining {
		return
	}
	delete(s.in.manual, service)
	if service == "" {
		delete(s.in.manual, checker.Readiness)
	}
	s.publishManual(service)
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
		s.namesOutdated = true
	})
}

// AddServices makes the full names of gRPC services known, as Serve does with those of its servers. It changes nothing and
// returns an error that joins all mistakes if a name belongs to a probe or a check. A check that gates an unknown service is
// logged during Run, since other servers may follow, and while no service is known after 10 s only.
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
	defer s.wakeRun() // to log unknown gates
	return s.addServices(names, false)
}

// addServices is AddServices for names that are not reserved. If they are all, a gate that is none of them is an error.
func (s *Server) addServices(names []string, all bool) (err error) {
	s.update(func(in *inputs) {
		services := sortedSet(append(slices.Clone(in.services), allValidUTF8(names)...))
		if err = errors.Join(nameMistakes(&in.readings, services), in.groups.validate(&in.readings, services)); all {
			for _, unknown := range s.unknownGates(services) {
				err = errors.Join(err, fmt.Errorf("servicer: check %q gates %q, which is not a registered service", unknown[0], unknown[1]))
			}
		}
		if err == nil {
			in.services = services
		}
	})
	return err
}

// nameMistakes returns an error for each check that has the name of a service or of a metric of something else.
func nameMistakes(r *readings, services []string) error {
	var errs []error
	for _, c := range r.checks {
		if contains(services, c.Name) {
			errs = append(errs, fmt.Errorf("servicer: check %q has the name of a service", c.Name))
		}
	}
	return errors.Join(append(errs, duplicateMetrics(r, services))...)
}

// unknownGates returns each check that gates a service which is neither in services nor set manually, with the service, and
// such services of RequestPolicy.StuckGates.
func (s *Server) unknownGates(services []string) (unknown [][2]string) {
	add := func(check string, gates []string) {
		for _, gate := range gates {
			if _, set := s.in.manual[gate]; !set && !reserved(gate) && !contains(services, gate) {
				unknown = append(unknown, [2]string{check, gate})
			}
		}
	}
	for _, c := range s.in.measured {
		add(c.Name, c.Gates)
	}
	add(metricStuck, s.cfg.Requests.StuckGates)
	return unknown
}

// registrationTime is how long after the beginning of Run the first server may be registered.
const registrationTime = 10 * time.Second

// followGates wakes Run after registrationTime if a gate is unknown when it begins. Call stop at its end.
func (s *Server) followGates() (stop func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Now()
	if len(s.unknownGates(s.in.services)) == 0 {
		return func() bool { return false }
	}
	return time.AfterFunc(registrationTime, s.wakeRun).Stop
}

// logUnknownGates logs, during Run and each once, the gates that are no services. It is called under mu.
func (s *Server) logUnknownGates() {
	if !s.running.Load() || len(s.in.services) == 0 && time.Since(s.began) < registrationTime {
		return
	}
	for _, unknown := range s.unknownGates(s.in.services) {
		if !s.loggedGates[unknown] {
			s.loggedGates[unknown] = true
			s.log.Log(slog.LevelError, "check gates a name that is not a registered service",
				slog.String("check", unknown[0]), slog.String("gate", unknown[1]))
		}
	}
}
