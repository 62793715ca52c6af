package servicer

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/safefile"
)

// Config configures a Server. With the zero value the Server has no sources and behaves like grpc-go's health server.
type Config struct {
	// Checker, Recorder and Breakers are the sources of health data. Each may be nil. The Server reads them and does not
	// run them. Two breakers with one name are an error. If a second one appears later, as in a Group, the report shows one
	// with the calls of both, in the state of the one that rejects more.
	Checker  *checker.Checker
	Recorder *interceptor.Recorder
	Breakers []breaker.SnapshotSource

	// Version of the program, for the report. Default: the main module's version from the build, or "unknown".
	Version string

	// Services are full names of gRPC services, such as shop.v1.Orders, that are known from the start. Serve adds every
	// service that is registered on its servers.
	Services []string

	// Groups are sets of checks with a name of their own: grpc.health.v1 has it, /health/<name>, and health_status. A group serves
	// while all its checks do and have passed once; an optional check is never in its way. The checks are those listed and those
	// whose Gates have the name. A group without checks, an unknown check, and the name of a probe, a service or a check are errors.
	Groups map[string][]string

	// HideChecks removes the names of checks from Check, Watch and List, which show them to every client. Reports still
	// list them.
	HideChecks bool

	// Requests sets the limits of request statistics.
	Requests RequestPolicy

	// RejectFor are the reasons for which UnaryGateInterceptor and StreamGateInterceptor reject calls of a service that does not
	// serve, such as checker.ReasonNotRunYet (the server starts), ReasonMaintenance and ReasonDraining (after DrainDelay).
	// Default: none, calls are served whatever their health.
	RejectFor []checker.Reason

	// OverrideFile is a JSON file with which an operator makes checks optional and takes names out, for a time, without a restart:
	//
	//	{"reason": "incident 42", "until": "2026-11-22T18:00:00Z", "optional": ["database"], "maintenance": ["shop.v1.Orders"]}
	//
	// "" and readiness in maintenance are the whole server. Run reads the file within two seconds after a change; without the file, or
	// after until, nothing is overridden. A mistake in it changes nothing: the metric override warns. The Checker and its log are
	// as before. Default: none.
	OverrideFile string

	// Settings are what Report.Settings shows. Default: none.
	Settings []Setting

	// Details controls which callers see raw causes, such as the error text of a dependency. Default: none.
	Details Details

	// DrainDelay is how long the server keeps serving calls after its names became NOT_SERVING. Default 5 s; negative:
	// none.
	DrainDelay time.Duration
	// ShutdownTimeout is how long calls in flight may take after DrainDelay, at least a second, which connections without
	// calls need to close. Default 20 s; negative: no more than that.
	ShutdownTimeout time.Duration

	// MinPublishInterval is the shortest time between two reports that differ in numbers only. A changed status is
	// published at once. Default 1 s.
	MinPublishInterval time.Duration
	// TransitionHistory is how many transitions a report holds. Names that change together for the same cause are one
	// transition, with ten names for each on average. Default 100; negative: none.
	TransitionHistory int
	// MaxWatches limits the open Watch streams of grpc.health.v1, also those that have not sent their request. Default
	// 65,536; negative: no limit.
	MaxWatches int
	// MaxWatchesPerConn limits those of one connection. Default 1,000; negative: no limit.
	MaxWatchesPerConn int
	// MaxReportStreams limits the open WatchHealthReport streams. Default 100; negative: none are served.
	MaxReportStreams int

	// Logger receives one record per change of a name, of the overall status and of the phase, with its cause, in the
	// group vitals, which begins with logger=plugin.health. Default: discard.
	Logger *slog.Logger
}

// RequestPolicy sets the limits of request statistics, which are those of the recorder's sliding window.
type RequestPolicy struct {
	// SuccessCritical and SuccessWarning are percentages of calls without a server failure (interceptor.IsFailure);
	// below them the metric request_success_rate is critical or warns. Defaults 95 and 98; if only one is set, the
	// other default moves so that the warning is not below the critical limit; negative: never.
	SuccessCritical float64
	SuccessWarning  float64
	// LatencyCritical and LatencyWarning are mean response times of unary calls and operations; above them the metric
	// avg_response_time is critical or warns. Defaults 5 s and 2 s; if only one is set, the other default moves so that
	// the warning is not above the critical limit; negative: never.
	LatencyCritical time.Duration
	LatencyWarning  time.Duration
	// MinSample is how many calls the window must hold for a status other than healthy. Default 20.
	MinSample int
	// Gates makes critical request metrics gate names: those of all calls gate readiness, a service's own success rate
	// gates that service. Off by default: a client that can make calls fail could take the server out.
	Gates bool
	// Shadow observes what Gates and StuckGates would do, as checker.Check.Shadow does.
	Shadow bool
	// StuckAfter is the time after which a unary call or operation in flight is stuck, and the metric requests_stuck warns.
	// Calls are counted only where the counters prove it, which is always so in a deadlock. Default 30 s; negative: never.
	StuckAfter time.Duration
	// StuckGates are names that do not serve while calls are stuck and no call at all has ended for StuckAfter: services,
	// checker.Readiness, or checker.Liveness if only a restart helps. Default none.
	StuckGates []string
}

// reservedMetrics are the names of the report's own metrics, which no resource or process check may have.
func reservedMetrics() []string {
	return []string{
		metricSuccessRate, metricResponseTime, metricApplication, metricSystem, metricBreakers, metricEvaluation, metricInFlight,
		metricTotal, metricFailures, metricSaturated, metricPanics, metricP50, metricP90, metricP99, metricStuck, metricRejected, metricOverride,
		metricContradiction,
	}
}

func (c Config) withDefaults() Config {
	c.Version = cmp.Or(c.Version, buildVersion())
	c.Services = slices.Clone(c.Services)
	c.Breakers = slices.Clone(c.Breakers)
	c.RejectFor = slices.Clone(c.RejectFor)
	c.Settings = slices.Clone(c.Settings)
	c.OverrideFile = safefile.Abs(c.OverrideFile)
	c.DrainDelay = max(cmp.Or(c.DrainDelay, 5*time.Second), 0)
	c.ShutdownTimeout = max(cmp.Or(c.ShutdownTimeout, 20*time.Second), 0)
	c.MinPublishInterval = cmp.Or(c.MinPublishInterval, time.Second)
	c.TransitionHistory = max(cmp.Or(c.TransitionHistory, 100), 0)
	c.MaxWatches = cmp.Or(c.MaxWatches, defaultMaxWatches)
	c.MaxWatchesPerConn = cmp.Or(c.MaxWatchesPerConn, defaultMaxWatchesPerConn)
	c.MaxReportStreams = max(cmp.Or(c.MaxReportStreams, 100), 0)
	c.Requests = c.Requests.withDefaults()
	return c
}

func (p RequestPolicy) withDefaults() RequestPolicy {
	low, warn := p.SuccessCritical, p.SuccessWarning
	p.SuccessWarning = cmp.Or(warn, max(98, low))
	p.SuccessCritical = cmp.Or(low, 95)
	if low == 0 && warn > 0 {
		p.SuccessCritical = min(p.SuccessCritical, warn)
	}
	slow, slowest := p.LatencyWarning, p.LatencyCritical
	p.LatencyCritical = cmp.Or(slowest, max(5*time.Second, slow))
	p.LatencyWarning = cmp.Or(slow, 2*time.Second)
	if slow == 0 && slowest > 0 {
		p.LatencyWarning = min(p.LatencyWarning, slowest)
	}
	p.MinSample = cmp.Or(p.MinSample, 20)
	p.StuckAfter = cmp.Or(p.StuckAfter, 30*time.Second)
	p.StuckGates = slices.Clone(p.StuckGates)
	return p
}

func (c Config) validate() error {
	var errs []error
	add := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("servicer: %s: %s", field, fmt.Sprintf(format, args...)))
	}
	for i, source := range c.Breakers {
		if source == nil {
			add("Breakers", "got nil at index %d", i)
		}
	}
	errs = append(errs, c.duplicateBreakers())
	listed := make(map[string]bool, len(c.Services))
	for _, name := range c.Services {
		switch {
		case reserved(name):
			add("Services", "%q is reserved for a probe", name)
		case listed[name]:
			add("Services", "%q is listed twice", name)
		}
		listed[name] = true
	}
	for _, reason := range c.RejectFor {
		if reason == checker.ReasonOK || reason == checker.ReasonStarved {
			add("RejectFor", "%v keeps no name from serving", reason)
		}
	}
	if c.MinPublishInterval < 0 {
		add("MinPublishInterval", "got %v, want 0 or more", c.MinPublishInterval)
	}
	if !c.Details.Policy.known() {
		add("Details.Policy", "got %d, want never, local, always or certificate", uint8(c.Details.Policy))
	}
	errs = append(errs, c.Requests.validate())
	return errors.Join(errs...)
}

func (p RequestPolicy) validate() error {
	var errs []error
	for _, rate := range []struct {
		field string
		value float64
	}{{"SuccessCritical", p.SuccessCritical}, {"SuccessWarning", p.SuccessWarning}} {
		if math.IsNaN(rate.value) || rate.value > 100 {
			errs = append(errs, fmt.Errorf("servicer: Requests.%s: got %v, want at most 100", rate.field, rate.value))
		}
	}
	d := p.withDefaults()
	if d.SuccessCritical > d.SuccessWarning && d.SuccessWarning >= 0 {
		errs = append(errs, fmt.Errorf("servicer: Requests.SuccessCritical: got %v, which is above SuccessWarning, %v",
			d.SuccessCritical, d.SuccessWarning))
	}
	if d.LatencyWarning > d.LatencyCritical && d.LatencyCritical >= 0 {
		errs = append(errs, fmt.Errorf("servicer: Requests.LatencyWarning: got %v, which is above LatencyCritical, %v",
			d.LatencyWarning, d.LatencyCritical))
	}
	if p.MinSample < 0 {
		errs = append(errs, fmt.Errorf("servicer: Requests.MinSample: got %d, want 0 or more", p.MinSample))
	}
	for _, name := range p.StuckGates {
		if name == checker.Startup || name == checker.None {
			errs = append(errs, fmt.Errorf("servicer: Requests.StuckGates: got %q, want readiness, liveness or a service", name))
		}
	}
	return errors.Join(errs...)
}

// reserved reports whether name is that of a probe.
func reserved(name string) bool {
	switch name {
	case "", checker.Liveness, checker.Readiness, checker.Startup, checker.None:
		return true
	default:
		return false
	}
}

func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "unknown"
	}
	return info.Main.Version
}
