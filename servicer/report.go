package servicer

import (
	"fmt"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

// Report is the result of one evaluation. It is immutable and shared by all readers: do not change it. Its times
// have a monotonic reading where they were taken in this process.
type Report struct {
	// Revision grows with each report of a Server.
	Revision uint64
	// EvaluatedAt is when the report was made, Started when the Server was.
	EvaluatedAt time.Time
	Started     time.Time
	Version     string

	Phase Phase
	// StartupComplete is true once startup has completed, also while draining.
	StartupComplete bool
	// Overall is the worst status of all Metrics; healthy when there are none.
	Overall checker.Status
	// Metrics, sorted by name. Of two with one name, which New cannot refuse if a check is added later, it is the worse.
	Metrics []Metric
	// Names that grpc.health.v1 knows, sorted, with the causes that keep them from serving.
	Names []ServingName

	// Shadow are the names that checks and requests in shadow would keep from serving, sorted, with these as their causes.
	Shadow []ServingName

	// Settings are those of the process, which callers that see details may see; ConfigHash is the same in processes of one
	// configuration, whatever the origins.
	Settings   []Setting
	ConfigHash string

	// Checks, sorted by name.
	Checks []*checker.Result
	// Breakers, sorted by name.
	Breakers []breaker.Snapshot
	// Requests is the server side of the recorder; nil without one.
	Requests *interceptor.Snapshot
	// Transitions are the last ones, newest first, at most Config.TransitionHistory.
	Transitions []Transition
	// Maintenance windows in force, sorted by name.
	Maintenance []Maintenance
	// Standby is true between SetStandby(true) and SetStandby(false).
	Standby bool
	// WatchStreams is the number of open grpc.health.v1 Watch streams when the report was made.
	WatchStreams int
	// Probers are the clients that request health, sorted by kind, protocol and name: at most 64, of these 16 with unknown names.
	Probers []Prober

	// messages are what the report RPC sends; nil in a Report that no Server made.
	messages *messages
}

// Metric is one metric of a report.
type Metric struct {
	Name string
	// Kind is dependency, resource, process, breaker, requests or evaluation.
	Kind string
	// Subject is the check, the breaker or the service that the metric is about; empty for those of the whole process.
	Subject string
	// Value is text such as available or 12.5, without a unit.
	Value string
	// Number and Unit are Value as a number, in %, ms, or 1 for counts. Unit is empty when Value is not a number.
	Number float64
	Unit   string

	// Values are numbers that a check reported beside its result.
	Values []checker.Value

	Status checker.Status
	Reason checker.Reason
	// CausedBy is the check whose failure explains the status, as checker.Result.CausedBy.
	CausedBy string
	// Message is public.
	Message string
	// Threshold is the critical limit as text, for avg_response_time the warning limit; empty without one.
	Threshold string
	// Updated is when the value was last measured.
	Updated time.Time
	// Since is when the status last changed.
	Since time.Time
	// Detail is the raw cause. It may hold secrets: exporters show it only where Details allows.
	Detail string
}

// ServingName is one name of grpc.health.v1.
type ServingName struct {
	Name   string
	Status healthpb.HealthCheckResponse_ServingStatus
	// Causes are what keeps the name from serving; empty when it serves.
	Causes []Cause

	since time.Time // when Status last changed, or when the name was first seen
	moved bool      // Status has changed since the name was first seen
}

// Cause is one reason why a name does not serve.
type Cause struct {
	// Check is the check or the request metric that gates the name; empty when the cause is the phase, maintenance or a
	// manual status.
	Check  string
	Reason checker.Reason
	// Text is public: "starting", "draining", "set by the application", "maintenance: <reason>" or the check's message.
	Text string
}

// Transition is one change of a status.
type Transition struct {
	// Seq numbers the transitions of a Server from 1 without gaps.
	Seq uint64
	At  time.Time
	// Subject is "phase", "overall", "check/<name>", "breaker/<name>", "name/<name>", or "shadow/<name>" for what a name would be
	// with what is in shadow. A breaker that is half-open counts as open.
	Subject  string
	From, To string
	Reason   checker.Reason
	// Text is public.
	Text string
	// PreviousFor is how long the subject had been in From: the length of an outage, in the transition that ends it.
	PreviousFor time.Duration
	// Names are all names that changed together for the same cause, sorted, if Subject is a name; Subject is readiness if
	// that is among them. Shared: do not change it.
	Names []string
}

// Maintenance is a name that is taken out on purpose. Name "" stands for the whole server.
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

// Lookup returns the status of a name of grpc.health.v1. It costs a binary search.
func (r *Report) Lookup(name string) (*ServingName, bool) {
	i, found := findName(r.Names, name)
	if !found {
		return nil, false
	}
	return &r.Names[i], true
}

// Phase is the stage of the process. Phases only go forward.
type Phase uint8

// The phases in their order.
const (
	// Starting: the first results are missing.
	Starting Phase = iota
	// Ready: startup has completed. Checks determine which names serve.
	Ready
	// Draining: shutting down; every name but liveness is NOT_SERVING.
	Draining
	// Stopped: all servers have stopped.
	Stopped
)

var phaseNames = [...]string{"starting", "ready", "draining", "stopped"}

// String returns starting, ready, draining or stopped.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// MarshalText implements encoding.TextMarshaler with String.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
