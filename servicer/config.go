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
)

// Config configures a Server. With the zero value the Server has no sources and behaves like grpc-go's health server.
type Config struct {
	// Checker, Recorder and Breakers are the sources of health data. Each may be nil. The Server reads them and does not
	// run them.
	Checker  *checker.Checker
	Recorder *interceptor.Recorder
	Breakers []breaker.SnapshotSource

	// Version of the program, for the report. Default: the main module's version from the build, or "unknown".
	Version string

	// Services are full names of gRPC services, such as shop.v1.Orders, that are known from the start. Serve adds every
	// service that is registered on its servers.
	Services []string

	// HideChecks removes the names of checks from Check, Watch and List, which show them to every client. Reports still
	// list them.
	HideChecks bool

	// Requests sets the limits of request statistics.
	Requests RequestPolicy

	// Details controls which callers see raw causes, such as the error text of a dependency. Default: none.
	Details Details

	// DrainDelay is how long the server keeps serving calls after its names became NOT_SERVING. Default 5 s; negative:
	// none.
	DrainDelay time.Duration
	// ShutdownTimeout is how long calls in flight may take after DrainDelay. Default 20 s; negative: none.
	ShutdownTimeout time.Duration

	// MinPublishInterval is the shortest time between two reports that differ in numbers only. A changed status is
	// published at once. Default 1 s.
	MinPublishInterval time.Duration
	// TransitionHistory is how many transitions a report holds. Names that change together for the same cause are one
	// transition, with ten names for each on average. Default 100; negative: none.
	TransitionHistory int
	// MaxWatches limits the open Watch streams of grpc.health.v1. Default 65,536; negative: no limit.
	MaxWatches int
	// MaxWatchesPerConn limits those of one connection. Default 1,000; negative: no limit.
	MaxWatchesPerConn int
	// MaxReportStreams limits the open WatchHealthReport streams. Default 100; negative: none are served.
	MaxReportStreams int

	// Logger receives one record per change of a name, of the overall status and of the phase, with its cause, in the
	// group vitals, with the attribute logger=plugin.health. Default: discard.
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
}

// reservedMetrics are the names of the report's own metrics, which no resource or process check may have.
func reservedMetrics() []string {
	return []string{
		metricSuccessRate, metricResponseTime, metricApplication, metricSystem, metricBreakers, metricEvaluation, metricInFlight,
		metricTotal, metricFailures, metricSaturated, metricPanics, metricP50, metricP90, metricP99,
	}
}

func (c Config) withDefaults() Config {
	c.Version = cmp.Or(c.Version, buildVersion())
	c.Services = slices.Clone(c.Services)
	c.Breakers = slices.Clone(c.Breakers)
	c.DrainDelay = max(cmp.Or(c.DrainDelay, 5*time.Second), 0)
	c.ShutdownTimeout = max(cmp.Or(c.ShutdownTimeout, 20*time.Second), 0)
	c.MinPublishInterval = cmp.Or(c.MinPublishInterval, time.Second)
	c.TransitionHistory = max(cmp.Or(c.TransitionHistory, 100), 0)
	c.MaxReportStreams = max(cmp.Or(c.MaxReportStreams, 100), 0)
	c.Requests = c.Requests.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Logger = c.Logger.With(slog.String("logger", "plugin.health")).WithGroup("vitals")
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
	for i, name := range c.Services {
		switch {
		case reserved(name):
			add("Services", "%q is reserved for a probe", name)
		case slices.Contains(c.Services[:i], name):
			add("Services", "%q is listed twice", name)
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
