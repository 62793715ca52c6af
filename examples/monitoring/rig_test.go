package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// server is one instance of a service with one dependency behind a breaker.
type server struct {
	web    string
	client testpb.TestServiceClient
	away   atomic.Bool // whether the database is
	stop   func()
}

// start runs an instance until the test ends or it is stopped.
func start(t *testing.T, version string, change ...func(*vitals.Config)) *server {
	t.Helper()
	s := &server{web: testdeps.Addr(testdeps.Port(t))}
	database, err := breaker.New(breaker.Config{Name: "database", OpenTime: 100 * time.Millisecond, MaxOpenTime: 100 * time.Millisecond, ProbeOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	ping := func(context.Context) error {
		if s.away.Load() {
			return errors.New("the database is away")
		}
		return nil
	}
	cfg := vitals.Config{
		Version: version, HTTPAddr: s.web, Prometheus: true, DrainDelay: -1, CheckInterval: 200 * time.Millisecond,
		Dependencies: []checker.Check{{Name: "database", Run: database.Check(ping)}},
		Checks:       []checker.Check{{Name: "queue", Measure: queue}},
		Breakers:     []breaker.SnapshotSource{database},
		Metrics:      promvitals.Config{NativeHistograms: true},
		Recorder:     interceptor.Config{Exemplar: otelvitals.Exemplar},
		Logger:       slog.New(slog.DiscardHandler),
		Resources:    resource.Config{Limits: withoutResources()}, // not what is tested
	}
	for _, f := range change {
		f(&cfg)
	}
	health, err := vitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", testdeps.Addr(testdeps.Port(t)))
	if err != nil {
		t.Fatal(err)
	}
	served := grpc.NewServer(append(health.ServerOptions(), traced())...)
	testpb.RegisterTestServiceServer(served, interop.NewTestServer())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- health.Serve(ctx, served, lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(health.Recorder().UnaryClientInterceptor)) // so that the instance also makes calls
	if err != nil {
		t.Fatal(err)
	}
	s.client = testpb.NewTestServiceClient(conn)
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("instance %s: %v", version, err)
		}
	}
	t.Cleanup(s.stop)
	testdeps.Eventually(t, patience, func() error {
		resp, err := http.Get("http://" + s.web + "/ready")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode != 200 {
				err = errors.New(resp.Status)
			}
		}
		return err
	})
	return s
}

func withoutResources() map[string]checker.Limit {
	return map[string]checker.Limit{"cpu_usage": {}, "memory_usage": {}, "disk_usage": {}, "open_files": {}, "pids": {}}
}

// queue measures something.
func queue(context.Context) (checker.Measurement, error) {
	return checker.Measurement{Value: 3, Unit: " jobs"}, nil
}

// traced continues the traces of callers, and samples what they sample.
func traced() grpc.ServerOption {
	return grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithTracerProvider(trace.NewTracerProvider(trace.WithSampler(trace.ParentBased(trace.NeverSample())))),
		otelgrpc.WithPropagators(propagation.TraceContext{}), otelgrpc.WithMeterProvider(noop.NewMeterProvider()),
	))
}

// prometheus is a real one.
type prometheus struct {
	t   *testing.T
	url string
}

// watch starts a Prometheus with the rules at a test's pace that scrapes the instances. It is not waited for: the older
// generation takes five seconds to look at its targets, and several can do that at once.
func watch(t *testing.T, r release, w wish, instances ...*server) *prometheus {
	t.Helper()
	flags, global := r.flagsFor(w)
	folder := t.TempDir()
	text, err := hurried.rules()
	if err != nil {
		t.Fatal(err)
	}
	var config strings.Builder
	pace := "scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 250ms"
	if w.leisurely {
		pace = "scrape_interval: 3s, scrape_timeout: 3s, evaluation_interval: 3s"
	}
	config.WriteString("global: {" + pace + global + "}\nrule_files: [rules.yml]\n" +
		"scrape_configs:\n  - job_name: shop\n    static_configs:\n      - targets:\n")
	for _, i := range instances {
		config.WriteString("          - " + i.web + "\n")
	}
	for name, content := range map[string][]byte{"rules.yml": text, "prometheus.yml": []byte(config.String())} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := testdeps.Addr(testdeps.Port(t))
	cmd := exec.Command(r.path, append(flags, "--config.file="+filepath.Join(folder, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.listen-address="+addr, "--log.level=warn", "--scrape.discovery-reload-interval=100ms")...)
	cmd.Dir = folder
	testdeps.Start(t, cmd)
	return &prometheus{t: t, url: "http://" + addr}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// get asks the HTTP API.
func (p *prometheus) get(path string, data any) error {
	resp, err := http.Get(p.url + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return errors.New(answer.Error)
	}
	return nil
}

// number returns the value of a query that has exactly one answer.
func (p *prometheus) number(query string) (string, error) {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(query), &data); err != nil {
		return "", err
	}
	if len(data.Result) != 1 {
		return "", fmt.Errorf("%s has %d answers", query, len(data.Result))
	}
	return fmt.Sprint(data.Result[0].Value[1]), nil
}

// firing returns the alerts that fire, as "name subject@instance".
func (p *prometheus) firing() (map[string]bool, error) {
	var data struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	err := p.get("/api/v1/alerts", &data)
	found := map[string]bool{}
	for _, alert := range data.Alerts {
		if alert.State == "firing" {
			subject := alert.Labels["check"] + alert.Labels["breaker"] + alert.Labels["grpc_service"]
			found[alert.Labels["alertname"]+" "+subject+"@"+alert.Labels["instance"]] = true
		}
	}
	return found, err
}
