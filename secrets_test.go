package vitals_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/probes/healthcheck"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// What is planted: a cause may come into the log, a credential nowhere at all.
const (
	cause      = "hunter2"
	credential = "swordfish-of-24-characters"
)

// planted is a server whose checks, breakers and files hold secrets, and which has failed in every way there is.
func planted(t *testing.T) (w *world, told *telemetry, log *logtest.Log) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), cause)
	tokens := filepath.Join(folder, "tokens")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(tokens, []byte(credential), 0o600)); err != nil {
		t.Fatal(err)
	}
	guard, err := breaker.New(breaker.Config{Name: "payments", ConsecutiveFailures: 1, OpenTime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	logger, log := everything()
	override := filepath.Join(folder, "override.json")
	if err := os.WriteFile(override, []byte(`{"`+cause+`": "`+credential+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	fails := func(context.Context) error { return errors.New("dial postgres://app:" + cause + "@db: refused") }
	w = serve(t, func(c *vitals.Config) {
		told = export(c)
		c.Logger, c.Prometheus, c.DetailsTokenFile = logger, true, tokens
		c.FilePath = filepath.Join(folder, "health")
		c.OverrideFile = override
		c.Breakers = []breaker.SnapshotSource{guard}
		c.Dependencies = []checker.Check{
			{Name: "database", Run: fails, Optional: true},
			{Name: "cache", Run: func(context.Context) error { panic(cause) }, Optional: true},
			{Name: "payments", Run: guard.Check(fails), Optional: true},
		}
		c.Checks = []checker.Check{
			{Name: "queue", Kind: checker.Resource, Measure: func(context.Context) (checker.Measurement, error) {
				return checker.Measurement{}, errors.New(cause)
			}},
			{Name: "heart", Kind: checker.Process, Run: fails},
		}
	})
	w.file = filepath.Join(folder, "health")
	_, _ = breaker.Do(t.Context(), guard, func(ctx context.Context) (int, error) { return 0, fails(ctx) })
	check(t, w.conn, "heart", healthpb.HealthCheckResponse_NOT_SERVING)
	eventually(t, func() error {
		report := w.Report()
		for _, name := range []string{"dependency_database", "dependency_cache", "breaker_payments", "system_resources", "override"} {
			if m, known := report.Metric(name); !known || m.Detail == "" {
				return fmt.Errorf("%s has no cause yet: %+v", name, m)
			}
		}
		return nil
	})
	return w, told, log
}

// grpcDoors asks every method that the server has. A method that is not here fails the test that asks for all.
func (w *world) grpcDoors() map[string]func(context.Context) string {
	health, reports, test := healthpb.NewHealthClient(w.conn), vitalspb.NewHealthReportServiceClient(w.conn), testpb.NewTestServiceClient(w.conn)
	each := func(ask func(name string) string) string {
		var all strings.Builder
		for _, name := range []string{"", "liveness", "readiness", "startup", "database", "cache", "heart", "nobody"} {
			all.WriteString(ask(name))
		}
		return all.String()
	}
	return map[string]func(context.Context) string{
		"/grpc.health.v1.Health/Check": func(ctx context.Context) string {
			return each(func(name string) string { return say(health.Check(ctx, &healthpb.HealthCheckRequest{Service: name})) })
		},
		"/grpc.health.v1.Health/List": func(ctx context.Context) string { return say(health.List(ctx, &healthpb.HealthListRequest{})) },
		"/grpc.health.v1.Health/Watch": func(ctx context.Context) string {
			return each(func(name string) string { return first(health.Watch(ctx, &healthpb.HealthCheckRequest{Service: name})) })
		},
		"/vitals.v1.HealthReportService/GetHealthReport": func(ctx context.Context) string {
			return say(reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{IncludeMethods: true}))
		},
		"/vitals.v1.HealthReportService/WatchHealthReport": func(ctx context.Context) string {
			return first(reports.WatchHealthReport(ctx, &vitalspb.WatchHealthReportRequest{IncludeMethods: true}))
		},
		"/grpc.testing.TestService/EmptyCall": func(ctx context.Context) string { return say(test.EmptyCall(ctx, &testpb.Empty{})) },
	}
}

func say[M proto.Message](message M, err error) string {
	if err != nil {
		return prototext.Format(status.Convert(err).Proto())
	}
	return "OK " + prototext.Format(message)
}

func first[M any](stream grpc.ServerStreamingClient[M], err error) string {
	if err != nil {
		return say((*testpb.Empty)(nil), err)
	}
	message, err := stream.Recv()
	if err != nil {
		return say((*testpb.Empty)(nil), err)
	}
	return prototext.Format(any(message).(proto.Message))
}

// httpDoors are all paths in all formats; that they are all is what TestEveryHTTPRouteIsADoor of package probes says.
func (w *world) httpDoors(t *testing.T, header http.Header) map[string]string {
	t.Helper()
	said := make(map[string]string)
	paths := []string{"/", "/health/badge.svg", "/health/config.json", "/metrics"}
	for _, path := range []string{
		"/health", "/live", "/livez", "/ready", "/readyz", "/startup", "/startupz", "/health/database", "/health/cache", "/health/payments",
		"/health/queue", "/health/heart", "/health/dependency_database", "/health/breaker_payments", "/health/system_resources", "/health/nobody",
	} {
		for _, query := range []string{"", "?verbose", "?verbose&exclude=heart", "?strict", "?format=health", "?format=html", "?format=health&strict"} {
			paths = append(paths, path+query)
		}
	}
	for _, path := range paths {
		for _, accept := range []string{"*/*", "text/html", "application/health+json", "text/event-stream", "application/openmetrics-text"} {
			said[path+" as "+accept] = w.ask(t, path, accept, header)
		}
	}
	return said
}

func (w *world) ask(t *testing.T, path, accept string, header http.Header) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.http+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Set("Accept", accept)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	head := fmt.Sprintln(answer.Header)
	if answer.Header.Get("Content-Type") == "text/event-stream" {
		event := make([]byte, 1<<20) // the first event holds everything
		n, _ := io.ReadAtLeast(answer.Body, event, 1000)
		return head + string(event[:n])
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return head + string(body)
}

// everyDoor is what each door says to who shows this.
func (w *world) everyDoor(t *testing.T, told *telemetry, show ...string) map[string]string {
	t.Helper()
	header := make(http.Header)
	for i := 0; i < len(show); i += 2 {
		header.Set(show[i], show[i+1])
	}
	said := w.httpDoors(t, header)
	listeners := w.grpcDoors()
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), lowered(show)...))
	defer cancel()
	for service, info := range w.server.GetServiceInfo() {
		for _, method := range info.Methods {
			name := "/" + service + "/" + method.Name
			ask, known := listeners[name]
			if !known && service != "grpc.testing.TestService" {
				t.Errorf("%s is a new door: ask it here, for secrets", name)
			}
			if known {
				said[name] = ask(ctx)
			}
		}
	}
	file, err := os.ReadFile(w.file)
	if err != nil {
		t.Error(err)
	}
	said["file"] = string(file)
	var probe bytes.Buffer
	healthcheck.Main([]string{"-http", "http://" + w.http + "/health", "-v"}, &probe, &probe)
	healthcheck.Main([]string{"-addr", w.plain.Target(), "-service", "heart"}, &probe, &probe)
	healthcheck.Main([]string{"-file", w.file}, &probe, &probe)
	said["self-probe"] = strings.ReplaceAll(probe.String(), w.file, "FILE")
	var metrics metricdata.ResourceMetrics
	if err := told.reader.Collect(t.Context(), &metrics); err != nil {
		t.Error(err)
	}
	said["OpenTelemetry metrics"] = fmt.Sprintf("%+v", metrics.ScopeMetrics)
	for _, span := range told.spans.Ended() {
		said["OpenTelemetry spans"] += fmt.Sprintln(span.Name(), span.Attributes(), span.Events(), span.Status())
	}
	return said
}

func lowered(list []string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = strings.ToLower(text)
		if i%2 == 1 {
			out[i] = text
		}
	}
	return out
}

func TestNoEndpointShowsSecrets(t *testing.T) {
	w, told, log := planted(t)
	// First with a valid token, which proves that the test recognizes a secret.
	var open []string
	for door, text := range w.everyDoor(t, told, "Authorization", "Bearer "+credential) {
		if strings.Contains(text, credential) {
			t.Errorf("%s tells the credential", door)
		}
		if strings.Contains(text, cause) {
			open = append(open, door)
		}
	}
	for _, door := range []string{
		"/health as */*", "/health as text/html", "/health as text/event-stream", "/health as application/health+json", "/health/database as */*",
		"/vitals.v1.HealthReportService/GetHealthReport", "/vitals.v1.HealthReportService/WatchHealthReport",
	} {
		if !slices.Contains(open, door) {
			t.Errorf("%s tells no cause to who shows a token", door)
		}
	}
	for _, door := range open {
		if !strings.HasPrefix(door, "/health") && !strings.HasPrefix(door, "/vitals.v1.") {
			t.Errorf("%s tells causes", door)
		}
	}
	for who, show := range map[string][]string{
		"a stranger":     nil,
		"a wrong token":  {"Authorization", "Bearer not-a-token-that-is-in-force"},
		"a proxy":        {"X-Forwarded-For", "192.0.2.7"},
		"a pretender":    {"X-Forwarded-Client-Cert", "Subject=admin", "Authorization", "Basic " + credential[:10]},
		"another scheme": {"Authorization", "Token not-a-token-that-is-in-force"},
	} {
		for door, text := range w.everyDoor(t, told, show...) {
			for _, secret := range []string{cause, credential, "goroutine ", ".go:"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s is told %q at %s:\n%.2000s", who, secret, door, text)
				}
			}
			if text == "" {
				t.Errorf("%s says nothing: the test does not look there", door)
			}
		}
	}
	w.end(t)
	if text := log.String(); !strings.Contains(text, cause) || strings.Contains(text, credential) || strings.Contains(text, "not-a-token") {
		t.Errorf("the log has no cause, or a credential:\n%s", text)
	}
}
