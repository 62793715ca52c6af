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

// Config says whom a Server hears and how it judges. The zero value hears nobody: such a Server answers like the
// health server of grpc-go.
type Config struct {
	// Checker, Recorder and Breakers are the witnesses; each may be nil. The Server only reads them: who made them
	// runs them.
	Checker  *checker.Checker
	Recorder *interceptor.Recorder
	Breakers []breaker.SnapshotSource

	// Version of the program, for the report. Default: the main module's version from the build, or "unknown".
	Version string

	// Services are full names of gRPC services, such as shop.v1.Orders, that the health service knows from the
	// start. Serve adds every service that is registered on its server.
	Services []string

	// HideChecks keeps the names of checks from Check, Watch and List, where they say which dependencies there are.
	// Reports have them all the same.
	HideChecks bool

	// Requests says how the recorder's numbers are judged.
	Requests RequestPolicy

	// Details says who may see raw causes, such as the text of a dependency's error. Default: nobody.
	Details Details

	// DrainDelay is how long the server goes on serving after it has said that it will not. Default 5 s; negative:
	// none.
	DrainDelay time.Duration
	// ShutdownTimeout is how long calls in flight may take to end after that. Default 20 s; negative: none.
	ShutdownTimeout time.Duration

	// MinPublishInterval is the least time between two editions that differ in numbers only. A new verdict is published
	// at once. Default 1 s.
	MinPublishInterval time.Duration
	// TransitionHistory is how many transitions the report remembers: names that change together for the same cause count as
	// one, up to ten names for each entry on average. Default 100; negative: none.
	TransitionHistory int
	// MaxWatches bounds the open Watch streams of grpc.health.v1. Default 65,536; negative: no bound.
	MaxWatches int
	// MaxWatchesPerConn bounds those of one connection. Default 1,000; negative: no bound.
	MaxWatchesPerConn int
	// ReportStreams bounds the open WatchHealthReport streams. Default 100; negative: none are served.
	ReportStreams int

	// Logger hears of every transition of a name, of the overall status and of the phase, once, with its cause: the
	// group vitals, the attribute logger=plugin.health. Default: discard.
	Logger *slog.Logger
}

// RequestPolicy says when the calls that a server has answered make its report warn. Rates and times are those of the
// recorder's sliding window, so the past heals.
type RequestPolicy struct {
	// SuccessCritical and SuccessWarning are percentages of calls without a failure of ours; below them the metric
	// request_success_rate is critical or warns. Defaults 95 and 98; negative: never.
	SuccessCritical float64
	SuccessWarning  float64
	// LatencyCritical and LatencyWarning are mean response times of unary calls; above them the metric
	// avg_response_time is critical or warns. Defaults 5 s and 2 s; negative: never.
	LatencyCritical time.Duration
	LatencyWarning  time.Duration
	// MinSample is how many calls the window must hold before they are judged: one failure out of two says little.
	// Default 20.
	MinSample int
	// Gates lets critical request metrics take names out: those of all calls gate readiness, a service's own success
	// rate gates that service. Off by default, because then whoever can make calls fail can push a server out.
	Gates bool
}

// reservedMetrics are the report's own names: a resource or process check of that name could not be told from them.
func reservedMetrics() []string {
	return []string{
		metricSuccessRate, metricResponseTime, metricApplication, metricSystem, metricBreakers, metricJudge, metricInFlight,
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
	c.ReportStreams = max(cmp.Or(c.ReportStreams, 100), 0)
	c.Requests = c.Requests.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Logger = c.Logger.With(slog.String("logger", "plugin.health")).WithGroup("vitals")
	return c
}

func (p RequestPolicy) withDefaults() RequestPolicy {
	p.SuccessCritical = cmp.Or(p.SuccessCritical, 95)
	p.SuccessWarning = cmp.Or(p.SuccessWarning, max(98, p.SuccessCritical))
	p.LatencyCritical = cmp.Or(p.LatencyCritical, 5*time.Second)
	p.LatencyWarning = cmp.Or(p.LatencyWarning, 2*time.Second)
	p.MinSample = cmp.Or(p.MinSample, 20)
	return p
}

func (c Config) validate() error {
	var errs []error
	add := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("servicer: %s %s", field, fmt.Sprintf(format, args...)))
	}
	for i, source := range c.Breakers {
		if source == nil {
			add("Breakers", "holds nil at %d", i)
		}
	}
	for i, name := range c.Services {
		switch {
		case reserved(name):
			add("Services", "holds %q, the name of a probe", name)
		case slices.Contains(c.Services[:i], name):
			add("Services", "holds %q twice", name)
		}
	}
	if c.MinPublishInterval < 0 {
		add("NumbersInterval", "is negative: %v", c.MinPublishInterval)
	}
	if !c.Details.Policy.known() {
		add("Details.Policy", "%d is none of never, local, always and certificate", uint8(c.Details.Policy))
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
			errs = append(errs, fmt.Errorf("servicer: Requests.%s must be at most 100: %v", rate.field, rate.value))
		}
	}
	d := p.withDefaults()
	if d.SuccessCritical > d.SuccessWarning && d.SuccessWarning >= 0 {
		errs = append(errs, fmt.Errorf("servicer: Requests.SuccessCritical %v is above SuccessWarning, %v",
			d.SuccessCritical, d.SuccessWarning))
	}
	if d.LatencyWarning > d.LatencyCritical && d.LatencyCritical >= 0 {
		errs = append(errs, fmt.Errorf("servicer: Requests.LatencyWarning %v is above LatencyCritical, %v",
			d.LatencyWarning, d.LatencyCritical))
	}
	if p.MinSample < 0 {
		errs = append(errs, fmt.Errorf("servicer: Requests.MinSample is negative: %d", p.MinSample))
	}
	return errors.Join(errs...)
}

// reserved reports whether name belongs to a probe.
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
