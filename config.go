package vitals

import (
	"crypto/tls"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// Config configures a Health. ConfigFromEnv fills it from the PLUGIN_* variables; dependencies are added in code.
//
// The zero value of a field is the default that the field documents. A zero Config opens no port and writes no file;
// ConfigFromEnv enables the endpoints that the environment does not turn off.
type Config struct {
	// Version of the program, for the report. Default: the main module's version from the build, or "unknown".
	Version string

	// Dependencies are checks of what the server needs. Unless a check is Optional, the server is not ready while it fails.
	Dependencies []checker.Check
	// Checks are all other checks, such as heartbeats of the process and further resources.
	Checks []checker.Check
	// OptionalChecks, if not empty, replaces the field Optional of all Dependencies: the named ones are optional and no
	// others, so that an operator can take a dependency out of readiness. An unknown name is an error.
	OptionalChecks []string
	// HideChecks removes the names of checks from Check, Watch and List of grpc.health.v1. Reports still list them.
	HideChecks bool
	// Breakers are shown in the report. When traffic opens one, the check of the same name runs at once.
	Breakers []breaker.SnapshotSource

	// CheckInterval and CheckTimeout are the defaults of checks without their own. Defaults 30 s and 5 s, at least 100 ms
	// and 1 ms. The health file is also written every CheckInterval.
	CheckInterval time.Duration
	CheckTimeout  time.Duration

	// Resources configures the checks of CPU, memory and disks. Defaults: critical above 80, 85 and 90 percent.
	Resources resource.Config

	// Requests sets the limits of request statistics, Recorder what is recorded. With tracing, set Recorder.Exemplar to
	// otelvitals.Exemplar, so that latency metrics link to traces.
	Requests servicer.RequestPolicy
	Recorder interceptor.Config

	// MeterProvider receives metrics, TracerProvider a span for each run of a check and each transition; see package
	// otelvitals. Nil: none. OpenTelemetry's globals are not used. A MeterProvider of another Health is an error until that
	// one's Close: their series would add up.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// MetricProducer is the *otelproducer.Producer of MeterProvider's reader: histograms of calls and checks. Nil: none.
	MetricProducer otelvitals.Producer

	// HTTPAddr is the address of the HTTP endpoints and the status page, such as ":8080". Default: none.
	HTTPAddr string
	// Prometheus enables /metrics there, configured by Metrics; New sets its Source and Recorder.
	Prometheus bool
	Metrics    promvitals.Config
	// HealthGRPCAddr is the address of a second gRPC server that serves grpc.health.v1 only, for probers that cannot use
	// the main one because of its TLS. Default: none.
	HealthGRPCAddr string
	// TLS enables TLS on both of these listeners, unless one of the next three fields says otherwise. Default: plaintext.
	TLS TLSFiles
	// HTTPTLS and HealthGRPCTLS replace TLS for one listener, for certificates that are not in files.
	HTTPTLS       *tls.Config
	HealthGRPCTLS *tls.Config
	// HealthGRPCPlaintext keeps the health-only listener without TLS: a kubelet's gRPC probes do not support TLS.
	HealthGRPCPlaintext bool
	// Envoy adds headers for Envoy to /health, /ready and all gRPC responses: x-envoy-degraded while the server serves
	// and the overall status is warning or critical, x-envoy-immediate-health-check-fail from the beginning of a drain.
	// If a second Envoy is in front of the first, see servicer.Server.UnaryEnvoyInterceptor.
	Envoy bool
	// LoadReports sends load reports (ORCA) to balancing clients, in the trailers of all calls and out of band,
	// configured by Load; New sets its Recorder, Logger and Resources. Every caller receives them. See package orcavitals.
	LoadReports bool
	Load        orcavitals.Config
	// FilePath is the path of the health file, such as /tmp/health. This and other relative paths are relative to the
	// working directory at the time of New. Default: none.
	FilePath string
	// Details controls which callers see error texts. Default: none.
	Details servicer.Details
	// DetailsTokenFile holds bearer tokens, one per line; callers that send one also see error texts. It is reloaded
	// when it changes; see package bearer. It replaces Details.Tokens. Default: none.
	DetailsTokenFile string

	// OverrideFile is a JSON file with which an operator makes checks optional and takes names out, for a time, without a
	// restart; see servicer.Config.OverrideFile. Default: none.
	OverrideFile string
	// TerminationLog is a file, such as /dev/termination-log in a container of Kubernetes, that gets at most 4 KiB of public text
	// when liveness stops serving and when Serve or Run ends with an error: causes, what else is wrong, the last transitions. It is
	// emptied when liveness serves again. Default: none.
	TerminationLog string

	// Server configures the health server: the limits of watches and report streams, the transitions that a report holds, the
	// shortest time between two reports, services that are known from the start, and
	// groups of checks. Its other fields are set by New from
	// the fields of Config, and must be zero.
	Server servicer.Config

	// MaxInFlight limits the calls in flight of servers with ServerOptions: those beyond it get RESOURCE_EXHAUSTED; see
	// interceptor.Limiter. With LoadReports it is also the default of Load.MaxInFlight. Default: no limit.
	MaxInFlight int

	// DrainDelay is how long the server keeps serving calls after its names became NOT_SERVING. Default 5 s; negative:
	// none.
	DrainDelay time.Duration
	// ShutdownTimeout is how long calls in flight may take after DrainDelay, at least a second. Default 20 s; negative: no
	// more than that.
	ShutdownTimeout time.Duration

	// Logger receives one record when an outage begins and one when it ends, with its cause. Default slog.Default(). In a plugin whose program has not
	// called slog.SetDefault it is JSON on stderr, of which go-plugin's host keeps the levels.
	Logger *slog.Logger

	unknownVariables [][2]string             // of ConfigFromEnv: each with the known one nearest to it
	fromEnv          map[string]fromVariable // by field; nil without ConfigFromEnv
}
