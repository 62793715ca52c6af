package servicer

import (
	"time"

	"github.com/vitals-go/vitals/checker"
)

// evaluator holds what stays the same from one evaluation to the next.
type evaluator struct {
	started    time.Time
	version    string
	requests   RequestPolicy
	hideChecks bool
	settings   []Setting
	configHash string
}

// evaluation is what follows from inputs for the process as a whole. What follows for one name is added by its method
// name, so that a manual status costs one name.
type evaluation struct {
	metrics []Metric
	overall checker.Status
	gates   gates
	shadow  *evaluation // with what is in shadow; nil without any
}

// evaluate is pure: it keeps nothing and reads no clock.
func (ev *evaluator) evaluate(in *inputs) *evaluation {
	metrics := ev.metrics(in)
	return &evaluation{metrics: metrics, overall: overall(metrics), gates: ev.newGates(in, metrics), shadow: ev.shadow(in, metrics)}
}

// overall is the worst status of all metrics, healthy without any.
func overall(metrics []Metric) checker.Status {
	worst := checker.Healthy
	for i := range metrics {
		if metrics[i].Status.Worse(worst) {
			worst = metrics[i].Status
		}
	}
	return worst
}

// next is when inputs change by time alone: when an open breaker becomes half-open. Zero means never.
func (in *inputs) next() (next time.Time) {
	for i := range in.breakers {
		if t := in.breakers[i].RetryAt; t.After(in.now) {
			next = soonest(next, t)
		}
	}
	return next
}

// soonest returns the earlier of two times, of which zero means never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// report assembles a Report of an evaluation and its names. Revision and transitions are added later.
func (ev *evaluator) report(in *inputs, e *evaluation, names []ServingName) *Report {
	return &Report{
		EvaluatedAt:     in.now,
		Started:         ev.started,
		Version:         ev.version,
		Phase:           in.phase,
		StartupComplete: in.startup.over,
		Overall:         e.overall,
		Metrics:         e.metrics,
		Names:           names,
		Checks:          in.checks,
		Breakers:        in.breakers,
		Requests:        in.requests,
		Settings:        in.allSettings(ev.settings),
		ConfigHash:      ev.configHash,
		Shadow:          e.shadowNames(in.manual, names),
		Maintenance:     in.allMaintenance(),
		Standby:         in.standby,
		WatchStreams:    in.watches,
		Probers:         in.probers,
	}
}
