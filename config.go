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

// Config is a whole production setup. ConfigFromEnv fills it from the PLUGIN_* variables; the caller adds what only code
// can know: the dependencies.
//
// The zero value of a field is the default that the field documents. Doors are closed by default: a zero Config opens
// no port and writes no file. ConfigFromEnv opens those that the environment does not turn off.
type Config struct {
	// Version of the program, for the report. Default: the main module's version from the build, or "unknown".
	Version string

	// Dependencies are checks of what the server needs. Unless they are Optional, the server is not ready while one of
	// them fails.
	Dependencies []checker.Check
	// Checks are all other checks: heartbeats of the process, resources of your own.
	Checks []checker.Check
	// OptionalChecks, when not empty, replaces the choice of Optional in Dependencies: the named ones are optional and
	// no others, so that an operator can take a dependency out of readiness without a release. A name that no
	// dependency has is a mistake.
	OptionalChecks []string
	// HideChecks keeps the names of checks from Check, Watch and List of grpc.health.v1. What they gate stays gated, and
	// the report shows them.
	HideChecks bool
	// Breakers to show in the report. When traffic opens one, the check of the same name runs at once.
	Breakers []breaker.SnapshotSource

	// CheckInterval and CheckTimeout are the defaults of checks that name none. Defaults 30 s and 5 s. The health file is
	// written every CheckInterval, too.
	CheckInterval time.Duration
	CheckTimeout  time.Duration

	// Resources says how CPU, memory and disks are measured and judged. Defaults: critical above 80, 85 and 90 percent.
	Resources resource.Config

	// Requests says how the recorder's numbers are judged, Recorder what it records. Where calls are traced, its field
	// Exemplar, set to otelvitals.Exemplar, lets the latencies on /metrics and those of MetricProducer lead to traces.
	Requests servicer.RequestPolicy
	Recorder interceptor.Config

	// MeterProvider takes metrics and TracerProvider spans: one for each run of a check and one for each transition; see
	// package otelvitals. Nil: none. Nothing is taken from OpenTelemetry's globals.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// MetricProducer is the *otelproducer.Producer that the reader of MeterProvider was given: the durations of calls and
	// checks. Nil: none.
	MetricProducer otelvitals.Producer

	// HTTPAddr is where the HTTP probes and the status page listen, such as ":8080". Default: nowhere.
	HTTPAddr string
	// Prometheus serves /metrics there, as Metrics says; its Source and Recorder are filled in.
	Prometheus bool
	Metrics    promvitals.Config
	// HealthGRPCAddr is where a second listener answers grpc.health.v1 and nothing else, for probers that cannot speak to
	// the main one because of its TLS. Default: nowhere.
	HealthGRPCAddr string
	// TLS makes both of these listeners speak TLS, but for what the next three say. Default: plaintext.
	TLS TLSFiles
	// HTTPTLS and HealthGRPCTLS are for those who do not keep certificates in files; each takes the place of TLS.
	HTTPTLS       *tls.Config
	HealthGRPCTLS *tls.Config
	// HealthGRPCPlaintext keeps that listener without TLS whatever TLS says, for a kubelet, whose gRPC probes speak none.
	HealthGRPCPlaintext bool
	// Envoy adds the headers that Envoy heeds: to /health, /ready and all responses of the gRPC server x-envoy-degraded
	// while it serves although something warns, and x-envoy-immediate-health-check-fail from the beginning of a drain. A
	// proxy before Envoy sees them too; see servicer.Server.UnaryEnvoyInterceptor.
	Envoy bool
	// LoadReports tells balancing clients how busy the server is, by ORCA, in the trailers of all calls and out of band, as
	// Load says; its Recorder and Logger are filled in. Every caller sees it. See package orcavitals.
	LoadReports bool
	Load        orcavitals.Config
	// FilePath is where the health file is written, such as /tmp/health. Default: nowhere.
	FilePath string
	// Details says who may see error texts. Default: nobody.
	Details servicer.Details
	// DetailsTokenFile holds bearer tokens, one a line: whoever shows one of them may see error texts too. It is read
	// again when it changes; see package bearer. It takes the place of Details.Tokens. Default: none.
	DetailsTokenFile string

	// DrainDelay is how long the server goes on serving after it has said that it will not. Default 5 s; negative: none.
	DrainDelay time.Duration
	// ShutdownTimeout is how long calls in flight may take to end after that. Default 20 s; negative: none.
	ShutdownTimeout time.Duration

	// Logger hears of every transition. Default slog.Default().
	Logger *slog.Logger

	// unknownVariables are pairs of an unknown environment variable and the known one nearest to it. New logs them.
	unknownVariables [][2]string
}
