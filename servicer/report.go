package servicer

import (
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

// Report is one edition of the verdict. It is immutable and shared by all readers: do not change anything in it.
type Report struct {
	// Revision grows with each edition.
	Revision uint64
	// EvaluatedAt is when the edition was made, Started when the process began; both UTC.
	EvaluatedAt time.Time
	Started     time.Time
	Version     string

	Phase Phase
	// Startup says that start-up is over. It stays so, also while draining.
	Startup bool
	// Overall is the worst status of all Metrics; healthy when there are none.
	Overall checker.Status
	// Metrics, sorted by name.
	Metrics []Metric
	// Names that grpc.health.v1 knows, sorted, with what keeps them from serving.
	Names []ServingName

	// Checks, sorted by name. Their errors, as those of Breakers, wrap what was found: they hold the text that it had then,
	// so that reading it asks nobody.
	Checks []*checker.Result
	// Breakers, sorted by name.
	Breakers []breaker.Snapshot
	// Requests is the server side of the recorder; nil without one.
	Requests *interceptor.Snapshot
	// Transitions holds the last transitions, newest first.
	Transitions []Transition
	// Maintenance windows in force, sorted by name.
	Maintenance []Maintenance
	// WatchStreams is the number of open grpc.health.v1 Watch streams when the edition was made.
	WatchStreams int

	// messages are what the report RPC sends of this edition; nil in a Report that no Server made.
	messages *messages
}

// Metric is one line of the report.
type Metric struct {
	Name   string
	Value  string
	Status checker.Status
	Reason checker.Reason
	// Message is safe for everybody.
	Message string
	// Threshold beyond which the metric is critical, as text; empty if it has none.
	Threshold string
	// Updated is when the value was last measured.
	Updated time.Time
	// Since is when the status last changed.
	Since time.Time
	// Detail is the raw cause. It may hold secrets: heralds show it only where their policy allows.
	Detail string
	// Number and Unit are the value as a number; Unit is empty when the value is not one.
	Number float64
	Unit   string
}

// ServingName is one name of grpc.health.v1.
type ServingName struct {
	Name   string
	Status healthpb.HealthCheckResponse_ServingStatus
	// Causes lists what keeps the name from serving; empty when it serves.
	Causes []Cause

	// judged is Status without the application's word and Shutdown, which the health server adds itself.
	judged healthpb.HealthCheckResponse_ServingStatus
}

// Cause is one reason why a name does not serve.
type Cause struct {
	// Check, or metric of requests, that gates the name; empty when the cause is the phase, maintenance or
	// SetServingStatus.
	Check  string
	Reason checker.Reason
	// Text is safe for everybody: "starting", "draining", "set by the application", "maintenance: <reason>" or the
	// check's message.
	Text string
}

// Transition is one entry of the journal.
type Transition struct {
	// Seq numbers the transitions of a Server, from 1, without gaps.
	Seq uint64
	At  time.Time
	// Subject is what changed: "phase", "overall", "check/<name>", "breaker/<name>" or "name/<name>". A breaker that is
	// half-open counts as open: a long outage has many trials.
	Subject  string
	From, To string
	// Reason is the stable code of the cause, Text a safe sentence about it.
	Reason string
	Text   string
	// PreviousFor is how long the subject had been in From: the length of an outage, in the entry that ends it.
	PreviousFor time.Duration
	// Names are all names that changed together for this cause, sorted, if Subject is a name; the Subject's, readiness if
	// that is among them, stands for all. Shared: do not change it.
	Names []string
}

// Maintenance is a name taken out on purpose.
type Maintenance struct {
	Name   string
	Reason string
	// Until is when it ends by itself.
	Until time.Time
}

// Metric returns the metric called name.
func (r *Report) Metric(name string) (*Metric, bool) {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name {
			return &r.Metrics[i], true
		}
	}
	return nil, false
}

// Lookup returns what grpc.health.v1 says about name.
func (r *Report) Lookup(name string) (*ServingName, bool) {
	for i := range r.Names {
		if r.Names[i].Name == name {
			return &r.Names[i], true
		}
	}
	return nil, false
}
