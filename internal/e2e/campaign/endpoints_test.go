package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// The machine may be slow; what is tested is not the time.
const leisure = 2 * time.Minute

// honest is a server in this process that answers correctly at every endpoint.
type honest struct {
	*endpoints.Endpoints

	started time.Time
	away    atomic.Bool // the database
}

func newHonest(t *testing.T) *honest {
	t.Helper()
	e, err := endpoints.New(t.Context(), os.Args[0], t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	h := &honest{Endpoints: e, started: time.Now()}
	cfg := vitals.Config{
		CheckInterval: 10 * time.Second, CheckTimeout: time.Minute, Prometheus: true, DrainDelay: -1,
		HTTPAddr: h.Web, HealthGRPCAddr: h.Plain, FilePath: h.File, Logger: slog.New(slog.DiscardHandler),
		Resources: resource.Config{CPU: checker.Above(100), Memory: checker.Above(100), Disk: checker.Above(100)},
	}
	for _, name := range dependencies {
		b, err := breaker.New(breaker.Config{Name: name, ProbeOnly: true, OpenTime: 20 * time.Millisecond, MaxOpenTime: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		run := b.Check(func(context.Context) error {
			if name == database && h.away.Load() {
				return errors.New("away")
			}
			return nil
		})
		cfg.Breakers = append(cfg.Breakers, b)
		cfg.Dependencies = append(cfg.Dependencies, checker.Check{
			Name: name, Run: run, Optional: name != database, Interval: 50 * time.Millisecond,
		})
	}
	second, err := breaker.New(breaker.Config{Name: reserve})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Breakers = append(cfg.Breakers, second)
	h.serve(t, cfg)
	return h
}

func (h *honest) serve(t *testing.T, cfg vitals.Config) {
	t.Helper()
	health, err := vitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var listen net.ListenConfig
	lis, err := listen.Listen(t.Context(), "tcp", h.Addr)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(health.ServerOptions()...)
	inventoryv1.RegisterInventoryServer(server, inventoryv1.UnimplementedInventoryServer{})
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := health.Serve(ctx, server, lis); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
}

// asked compares every endpoint, and returns what was wrong.
func (h *honest) asked(t *testing.T, d *endpoints.Endpoints, want truth) *oracle.Comparison {
	t.Helper()
	e := openObserver(t.Context(), d, want.names())
	defer e.close()
	testdeps.Eventually(t, leisure, func() error { return e.told() })
	expected := want.expected()
	expected.Uptime = time.Since(h.started)
	q := oracle.Compare(expected)
	d.Compare(t.Context(), q)
	e.compare(q)
	d.CompareCommand(t.Context(), q)
	return q
}

// told is nil once every stream has told something, or has ended.
func (e *observer) told() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.newest == nil && e.ended == nil {
		return errors.New("the report's stream is silent")
	}
	for name, t := range e.trails {
		if told, err := t.all(); len(told) == 0 && err == nil {
			return errors.New("the Watch of " + name + " is silent")
		}
	}
	return nil
}

var allEndpoints = []string{
	"/health", "/metrics", "Check", "Check (second listener)", "GetHealthReport", "HTTP", "List", "Watch", "WatchHealthReport",
	"file", "healthcheck command",
}

// TestEachEndpointIsCompared has doors tell the truth about one world to an oracle that knows another: it must object to
// each of them, and to none when they agree.
func TestEachEndpointIsCompared(t *testing.T) {
	t.Parallel()
	h := newHonest(t)
	calm, away := world(nil), world(map[string]fault{database: killed})
	for _, now := range []truth{calm, away} {
		h.away.Store(!now.ready())
		testdeps.Eventually(t, leisure, func() error { return h.asked(t, h.Endpoints, now).Err() })
		other := calm
		if now.ready() {
			other = away
		}
		testdeps.Eventually(t, leisure, func() error { return h.objects(t, other) })
	}
}

// objects wants the oracle to object to what every endpoint says.
func (h *honest) objects(t *testing.T, other truth) error {
	t.Helper()
	objected := map[string]bool{}
	for _, f := range h.asked(t, h.Endpoints, other).Differences() {
		objected[f.Endpoint] = true
	}
	for _, door := range allEndpoints {
		if !objected[door] {
			return fmt.Errorf("if %v, %s may say what it likes", other, door)
		}
	}
	return nil
}

// lying is a health service and a report service with something wrong about them.
type lying struct {
	healthpb.HealthClient
	vitalspb.HealthReportServiceClient

	check  func(*healthpb.HealthCheckResponse)
	list   func(*healthpb.HealthListResponse)
	report func(*vitalspb.HealthReportResponse)
}

func (l *lying) Check(ctx context.Context, request *healthpb.HealthCheckRequest, o ...grpc.CallOption) (*healthpb.HealthCheckResponse, error) {
	resp, err := l.HealthClient.Check(ctx, request, o...)
	if err == nil && l.check != nil && request.GetService() == "readiness" {
		l.check(resp)
	}
	return resp, err
}

func (l *lying) List(ctx context.Context, request *healthpb.HealthListRequest, o ...grpc.CallOption) (*healthpb.HealthListResponse, error) {
	resp, err := l.HealthClient.List(ctx, request, o...)
	if err == nil && l.list != nil {
		l.list(resp)
	}
	return resp, err
}

func (l *lying) GetHealthReport(ctx context.Context, request *vitalspb.HealthReportRequest, o ...grpc.CallOption) (*vitalspb.HealthReportResponse, error) {
	resp, err := l.HealthReportServiceClient.GetHealthReport(ctx, request, o...)
	if err == nil && l.report != nil {
		l.report(resp)
	}
	return resp, err
}

// TestWrongAnswersAreFound plants one lie at a time in a server that tells the truth otherwise.
func TestWrongAnswersAreFound(t *testing.T) {
	t.Parallel()
	h := newHonest(t)
	testdeps.Eventually(t, leisure, func() error { return h.asked(t, h.Endpoints, world(nil)).Err() })
	down := func(resp *healthpb.HealthCheckResponse) { resp.Status = healthpb.HealthCheckResponse_NOT_SERVING }
	edited := func(edit func(*vitalspb.HealthReportResponse)) func(*testing.T, *endpoints.Endpoints) {
		return func(_ *testing.T, d *endpoints.Endpoints) {
			d.Reports = &lying{HealthReportServiceClient: d.Reports, report: edit}
		}
	}
	for name, tc := range map[string]struct {
		plant func(*testing.T, *endpoints.Endpoints)
		found string
	}{
		"nothing":   {func(*testing.T, *endpoints.Endpoints) {}, ""},
		"one Check": {func(_ *testing.T, d *endpoints.Endpoints) { d.Health = &lying{HealthClient: d.Health, check: down} }, `Check: "readiness"`},
		"the second listener": {
			func(_ *testing.T, d *endpoints.Endpoints) { d.Second = &lying{HealthClient: d.Second, check: down} }, `Check (second listener): "readiness"`,
		},
		"a name missing from List": {func(_ *testing.T, d *endpoints.Endpoints) {
			d.Health = &lying{HealthClient: d.Health, list: func(resp *healthpb.HealthListResponse) { delete(resp.GetStatuses(), cache) }}
		}, `List: "cache"`},
		"a dependency in the report": {edited(func(r *vitalspb.HealthReportResponse) { r.Metrics["dependency_cache"].Status = "warning" }), "check cache"},
		"an overall status too good": {edited(func(r *vitalspb.HealthReportResponse) { r.Metrics["cpu_usage"].Status = "critical" }), "the overall status"},
		"a breaker":                  {edited(func(r *vitalspb.HealthReportResponse) { r.Metrics["breaker_cache"].Value = "open" }), "breaker cache"},
		"the phase":                  {edited(func(r *vitalspb.HealthReportResponse) { r.Phase = "draining" }), "phase"},
		"a name in the report":       {edited(func(r *vitalspb.HealthReportResponse) { r.Names[0].Status = "UNKNOWN" }), `GetHealthReport: ""`},
		"a clock that is wrong":      {edited(func(r *vitalspb.HealthReportResponse) { r.Timestamp = "2026-01-01T00:00:00Z" }), "timestamp"},
		"numbers that do not move":   {edited(func(r *vitalspb.HealthReportResponse) { r.EvaluatedAt = "2026-01-01T00:00:00Z" }), "evaluated_at"},
		"an uptime below zero":       {edited(func(r *vitalspb.HealthReportResponse) { r.UptimeSeconds = -3600 }), "uptime"},
		"a forced breaker":           {edited(func(r *vitalspb.HealthReportResponse) { r.Metrics["breaker_reserve"].Value = "open" }), "breaker reserve"},
		"a probe":                    {web("/readyz", func(string) (int, string) { return 503, "" }), "HTTP: /readyz"},
		"an unknown check":           {web("/health/nobody", func(string) (int, string) { return 200, "" }), "HTTP: /health/nobody"},
		"a code": {
			web("/health", func(body string) (int, string) { return 503, body }), "/health: the code",
		},
		"a dependency in the document": {
			web("/health", func(body string) (int, string) {
				return 200, strings.ReplaceAll(body, `"dependency_cache":{"value":"available","status":"healthy"`, `"dependency_cache":{"status":"warning"`)
			}), "/health: check cache",
		},
		"a sample": {
			web("/metrics", func(body string) (int, string) {
				return 200, strings.Replace(body, `health_status{service="cache"} 1`, `health_status{service="cache"} 0`, 1)
			}), `/metrics: health_status{service="cache"}`,
		},
		"a sample twice": {
			web("/metrics", func(body string) (int, string) { return 200, body + "health_watch_streams 0\n" }), "there twice",
		},
		"an unhealthy scrape": {web("/metrics", func(body string) (int, string) { return 503, body }), "/metrics: the code"},
		"a file that is not ready": {func(t *testing.T, d *endpoints.Endpoints) {
			d.File = copied(t, d.File, `"ready":true`, `"ready":false`)
		}, "file: ready"},
		"a torn file": {func(t *testing.T, d *endpoints.Endpoints) { d.File = copied(t, d.File, "}", "") }, "file: the answer"},
		"a command that always agrees": {
			func(_ *testing.T, d *endpoints.Endpoints) { d.Binary = "true" }, "-service nobody",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := *h.Endpoints
			tc.plant(t, &d)
			testdeps.Eventually(t, leisure, func() error {
				err := h.asked(t, &d, world(nil)).Err()
				if tc.found == "" && err != nil || tc.found != "" && (err == nil || !strings.Contains(err.Error(), tc.found)) {
					return fmt.Errorf("found %w, want %q", errors.Join(err), tc.found)
				}
				return nil
			})
		})
	}
}

// web puts an HTTP proxy before the server that tells a lie at one path.
func web(path string, lie func(body string) (int, string)) func(*testing.T, *endpoints.Endpoints) {
	return func(t *testing.T, d *endpoints.Endpoints) {
		target := &url.URL{Scheme: "http", Host: d.Web}
		proxy := &httputil.ReverseProxy{Transport: &http.Transport{DisableKeepAlives: true}}
		proxy.Rewrite = func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding") // A lie needs plain text.
		}
		proxy.ModifyResponse = func(resp *http.Response) error {
			if resp.Request.URL.Path != path {
				return nil
			}
			body, err := io.ReadAll(resp.Body)
			code, text := lie(string(body))
			resp.StatusCode, resp.Body, resp.ContentLength = code, io.NopCloser(strings.NewReader(text)), int64(len(text))
			resp.Header.Del("Content-Length")
			return err
		}
		server := httptest.NewServer(proxy)
		t.Cleanup(server.Close)
		d.Web = strings.TrimPrefix(server.URL, "http://")
	}
}

// copied writes a health file with something else in it.
func copied(t *testing.T, file, old, replacement string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "health")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(body), old, replacement)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
