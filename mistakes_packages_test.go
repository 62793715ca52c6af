package vitals_test

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
	"github.com/vitals-go/vitals/breaker/httpbreaker"
	"github.com/vitals-go/vitals/breaker/redisbreaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/otel/otelproducer"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/probes/healthcheck"
	"github.com/vitals-go/vitals/probes/kubernetes"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/probes/statuspage"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/bearer"
	"github.com/vitals-go/vitals/servicer/orcavitals"
	"github.com/vitals-go/vitals/servicer/servicertest"
)

func second[T any](_ T, err error) error { return err }

func brokenBreaker(cfg breaker.Config) error {
	cfg.Name = "db"
	return second(breaker.New(cfg))
}

func pod(change func(*kubernetes.Config)) error {
	cfg := kubernetes.Config{GRPCPort: 9090}
	change(&cfg)
	return second(kubernetes.Probes(cfg))
}

func TestMistakesInPackages(t *testing.T) {
	source := newHealth(t, vitals.Config{Resources: unjudged()}).Server()
	checks, err := checker.New(checker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		`breaker: Name is required`:                                  second(breaker.New(breaker.Config{})),
		`breaker "db": ConsecutiveFailures: got 9223372036854775807`: brokenBreaker(breaker.Config{ConsecutiveFailures: math.MaxInt}),
		`breaker "db": FailureRate: got 50`:                          brokenBreaker(breaker.Config{FailureRate: 50}),
		`breaker "db": FailureRate: got NaN`:                         brokenBreaker(breaker.Config{FailureRate: math.NaN()}),
		`breaker "db": SlowCallRate: got 80`:                         brokenBreaker(breaker.Config{SlowCall: time.Second, SlowCallRate: 80}),
		`breaker "db": MinCalls: got -1`:                             brokenBreaker(breaker.Config{MinCalls: -1}),
		`breaker "db": Window: got -1ns`:                             brokenBreaker(breaker.Config{Window: -1}),
		`breaker "db": OpenTime: got -1ns`:                           brokenBreaker(breaker.Config{OpenTime: -1}),
		`breaker "db": MaxOpenTime: got`:                             brokenBreaker(breaker.Config{OpenTime: time.Minute, MaxOpenTime: time.Second}),
		`breaker "db": Jitter: got 25`:                               brokenBreaker(breaker.Config{Jitter: 25}),
		`breaker group "db": MaxBreakers: got -1`:                    second(breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "db"}, MaxBreakers: -1})),
		"grpcbreaker: exactly one of Breaker and BreakerFor":         second(grpcbreaker.New(grpcbreaker.Config{})),
		"httpbreaker: exactly one of Breaker and BreakerFor":         second(httpbreaker.New(httpbreaker.Config{})),
		"redisbreaker: Breaker is required":                          second(redisbreaker.New(redisbreaker.Config{})),
		"sqlbreaker: Connector is required":                          second(sqlbreaker.New(sqlbreaker.Config{})),
		"dependency: HTTPConfig.URL: got scheme":                     second(dependency.HTTP(dependency.HTTPConfig{URL: "localhost:8080/live"})),
		"dependency: HTTPConfig.URL: malformed":                      second(dependency.HTTP(dependency.HTTPConfig{URL: "http://user:p%ss@host"})),
		"dependency: HTTPConfig.Status: got 20":                      second(dependency.HTTP(dependency.HTTPConfig{URL: "http://host", Status: []int{20}})),
		"dependency: HTTPConfig.Method: got":                         second(dependency.HTTP(dependency.HTTPConfig{URL: "http://host", Method: "GET "})),
		"dependency: TCPConfig.Addr":                                 second(dependency.TCP(dependency.TCPConfig{Addr: "localhost"})),
		"dependency: RedisConfig.Addr":                               second(dependency.Redis(dependency.RedisConfig{Addr: "redis://host:6379"})),
		"dependency: RedisConfig.Username: requires Password":        second(dependency.Redis(dependency.RedisConfig{Addr: "host:6379", Username: "u"})),
		"dependency: DNSConfig.Name is required":                     second(dependency.DNS(dependency.DNSConfig{})),
		"dependency: DNSConfig.Want[0]: invalid address":             second(dependency.DNS(dependency.DNSConfig{Name: "host", Want: []netip.Addr{{}}})),
		"dependency: GRPCConfig.Conn is required":                    second(dependency.GRPC(dependency.GRPCConfig{})),
		"dependency: SQLConfig.DB is required":                       second(dependency.SQL(dependency.SQLConfig{})),
		"dependency: CertificateConfig.MinLeft: got 30ns":            second(dependency.Certificate(dependency.CertificateConfig{Name: "cert", Addr: "host:443", MinLeft: 30})),
		"dependency: got a quorum of 3 of 1 members":                 second(dependency.Quorum(3, dependency.Member{Name: "a", Run: ok})),
		"dependency: at least one member is required":                second(dependency.All()),
		"checker: MaxConcurrent: got -1":                             second(checker.New(checker.Config{MaxConcurrent: -1})),
		`checker: unknown check "cache"`:                             checks.Push("cache", checker.Outcome{}),
		"interceptor: Window: got 1ns":                               second(interceptor.New(interceptor.Config{Window: 1})),
		`servicer: maintenance of "shop"`:                            source.SetMaintenance("shop", "", -1),
		"servicer: DetailsPolicy":                                    nil,
		`servicer: Groups: group "liveness" has the name of a probe`: second(servicer.New(servicer.Config{Groups: map[string][]string{"liveness": {"a"}}})),
		"bearer: Tokens or File is required":                         second(bearer.New(bearer.Config{})),
		"bearer: Tokens: token 1 is shorter than 16 characters":      second(bearer.New(bearer.Config{Tokens: []string{"secret"}})),
		"orcavitals: ":                                          second(orcavitals.New(orcavitals.Config{MaxInFlight: 10})),
		"servicertest: Conn":                                    second(servicertest.Check(t.Context(), servicertest.Target{})),
		"servicertest: HTTP":                                    second(servicertest.Check(t.Context(), servicertest.Target{HTTP: "localhost:8080"})),
		"probes: HandlerConfig.Source is required":              second(probes.NewHandler(probes.HandlerConfig{})),
		"probes: ServerConfig.Handler is required":              second(probes.NewServer(probes.ServerConfig{Addr: ":0"})),
		"probes: ServerConfig.Addr: got \"8080\"":               second(probes.NewServer(probes.ServerConfig{Handler: http.NotFoundHandler(), Addr: "8080"})),
		"probes: FileConfig.Path is required":                   second(probes.NewFile(probes.FileConfig{Source: source})),
		"probes: FileConfig.Interval: got 30ns":                 second(probes.NewFile(probes.FileConfig{Source: source, Path: "health", Interval: 30})),
		"promvitals: Source or Recorder is required":            second(promvitals.New(promvitals.Config{})),
		"promvitals: Buckets[0]: got -1":                        second(promvitals.New(promvitals.Config{Source: source, Buckets: []float64{-1}})),
		"statuspage: Config.Source is required":                 second(statuspage.New(statuspage.Config{})),
		"otelvitals: Source or Recorder is required":            second(otelvitals.New(otelvitals.Config{MeterProvider: noopmetric.NewMeterProvider()})),
		"otelvitals: MeterProvider, TracerProvider or Producer": second(otelvitals.New(otelvitals.Config{Source: source})),
		"otelproducer: Attach: source or recorder is required":  otelproducer.New(otelproducer.Config{}).Attach(nil, nil),
		"kubernetes: Config: got 2 of GRPCPort, HTTPPort":       pod(func(c *kubernetes.Config) { c.HTTPPort = 8080 }),
		"kubernetes: Config: got 0 of GRPCPort, HTTPPort":       pod(func(c *kubernetes.Config) { c.GRPCPort = 0 }),
		"kubernetes: GRPCTLS: gRPC probes do not support TLS":   pod(func(c *kubernetes.Config) { c.GRPCTLS = true }),
		"kubernetes: HTTPS: requires HTTPPort":                  pod(func(c *kubernetes.Config) { c.HTTPS = true }),
		"kubernetes: Address": pod(func(c *kubernetes.Config) {
			c.GRPCPort, c.Command, c.Address = 0, []string{"/server", "healthcheck"}, "http://host/ready"
		}),
		"kubernetes: GracePeriod: got": pod(func(c *kubernetes.Config) { c.GracePeriod = time.Second }),
	} {
		if want == "servicer: DetailsPolicy" {
			var policy servicer.DetailsPolicy
			want, err = `servicer: unknown details policy "sometimes"; have never, local`, policy.UnmarshalText([]byte("sometimes"))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func ok(context.Context) error { return nil }

func TestMistakesInTheFlagsOfHealthcheck(t *testing.T) {
	for args, want := range map[string]string{
		"":                                       "-addr",
		"-addr":                                  "flag needs an argument: -addr",
		"-adr :50051":                            "flag provided but not defined: -adr",
		"localhost:50051":                        "localhost:50051",
		"-addr :50051 readiness":                 "readiness",
		"-addr :50051 -http http://h":            "-http",
		"-addr :50051 -file /tmp/health":         "-file",
		"-http localhost:8080":                   "-http",
		"-http ftp://host":                       "-http",
		"-http http://h -service readiness":      "-service",
		"-file /tmp/health -service readiness":   "-service",
		"-file /tmp/health -for service":         "-for",
		"-addr :50051 -for ready":                "-for",
		"-addr :50051 -rpc-timeout 5":            "-rpc-timeout",
		"-addr :50051 -rpc-timeout -1s":          "-rpc-timeout",
		"-addr :50051 -connect-timeout 48h":      "-connect-timeout",
		"-addr :50051 -rpc-header key":           "-rpc-header",
		"-addr :50051 -tls-ca-cert ca.pem":       "-tls",
		"-addr :50051 -tls -tls-ca-cert /none":   "-tls-ca-cert",
		"-addr :50051 -tls -tls-client-cert x":   "-tls-client-key",
		"-addr :50051 -tls-server-name host":     "-tls",
		"-http http://h -tls":                    "-tls",
		"-addr :50051 -tls -tls-no-verify=maybe": "-tls-no-verify",
	} {
		var stdout, stderr bytes.Buffer
		code := healthcheck.Main(strings.Fields(args), &stdout, &stderr)
		if code != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("healthcheck %s: exit code %d and %q, want 1 and %q", args, code, stderr.String(), want)
		}
	}
}

func TestMistakesInTheOrderOfCalls(t *testing.T) {
	for name, test := range map[string]struct {
		try  func(t *testing.T, h *vitals.Health) error
		want string // in the error or the log
	}{
		"no server, no listener": {func(t *testing.T, h *vitals.Health) error { return h.Serve(t.Context(), nil, nil) }, "vitals: Serve needs a server and a listener"},
		"no listener":            {func(t *testing.T, h *vitals.Health) error { return h.Serve(t.Context(), grpc.NewServer(), nil) }, "vitals: Serve needs a server and a listener"},
		"empty endpoint":         {func(t *testing.T, h *vitals.Health) error { return h.ServeAll(t.Context(), servicer.Endpoint{}) }, "vitals: Serve needs a server and a listener"},
		"server that serves already": {func(t *testing.T, h *vitals.Health) error {
			server, lis := grpc.NewServer(h.ServerOptions()...), bufconn.Listen(1)
			go func() { _ = server.Serve(lis) }()
			defer server.Stop()
			synctest.Wait()
			return h.Serve(t.Context(), server, bufconn.Listen(1))
		}, "vitals: Serve: the server serves already"},
		"server that was stopped": {func(t *testing.T, h *vitals.Health) error {
			server := grpc.NewServer(h.ServerOptions()...)
			server.Stop()
			return h.Serve(t.Context(), server, bufconn.Listen(1))
		}, "the server has been stopped"},
		"listener that was closed": {func(t *testing.T, h *vitals.Health) error {
			lis := bufconn.Listen(1)
			lis.Close()
			return h.Serve(t.Context(), grpc.NewServer(h.ServerOptions()...), lis)
		}, "closed"},
		"server without our options": {func(t *testing.T, h *vitals.Health) error { return briefly(t, h, grpc.NewServer()) }, "server has no ServerOptions: its calls are not recorded, and a panic ends the process"},
		"interceptor before ours": {func(t *testing.T, h *vitals.Health) error {
			return briefly(t, h, grpc.NewServer(append(h.ServerOptions(), grpc.UnaryInterceptor(rejectUnary))...))
		}, "place ServerOptions before other interceptors, or use FirstServerOptions"},
		"Serve twice": {func(t *testing.T, h *vitals.Health) error {
			if err := briefly(t, h, grpc.NewServer(h.ServerOptions()...)); err != nil {
				return err
			}
			return h.Serve(t.Context(), grpc.NewServer(), bufconn.Listen(1))
		}, "vitals: Serve or Run has been called already"},
		"Run after Serve": {func(t *testing.T, h *vitals.Health) error {
			if err := briefly(t, h, grpc.NewServer(h.ServerOptions()...)); err != nil {
				return err
			}
			return h.Run(t.Context())
		}, "vitals: Serve or Run has been called already"},
		"SetServingStatus after Shutdown": {func(_ *testing.T, h *vitals.Health) error {
			h.Server().Shutdown()
			h.Server().SetServingStatus("shop.v1.Orders", 1)
			return nil
		}, "serving status ignored: the health service is shut down"},
		"service named like a probe": {func(_ *testing.T, h *vitals.Health) error { return h.Server().AddServices("readiness") }, "readiness"},
		"push without TTL":           {func(_ *testing.T, h *vitals.Health) error { return h.Checker().Push("database", checker.Outcome{}) }, `checker: check "database" has no TTL`},
		"check added twice": {func(_ *testing.T, h *vitals.Health) error {
			return h.Checker().Add(checker.Check{Name: "database", Run: ok})
		}, `check "database": Name is used twice`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log logtest.Log
				h := newHealth(t, vitals.Config{
					Resources: unjudged(), DrainDelay: -1, Dependencies: []checker.Check{{Name: "database", Run: ok}},
					Logger: slog.New(slog.NewTextHandler(&log, nil)),
				})
				err := test.try(t, h)
				synctest.Wait()
				if err == nil && !strings.Contains(log.String(), test.want) || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v and the log\n%swant %q", err, log.String(), test.want)
				}
			})
		})
	}
	t.Run("address in use", func(t *testing.T) {
		lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer lis.Close()
		h := newHealth(t, vitals.Config{Resources: unjudged(), HTTPAddr: lis.Addr().String()})
		if err := h.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR): listen tcp") {
			t.Errorf("got %v, want the variable", err)
		}
	})
}

// briefly serves until the server is idle.
func briefly(t *testing.T, h *vitals.Health, server *grpc.Server) error {
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, server, bufconn.Listen(1<<16)) }()
	synctest.Wait()
	stop()
	return <-served
}
