package vitals_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// shows waits until an endpoint's page has every line.
func (w *world) shows(t *testing.T, path string, want ...string) {
	t.Helper()
	eventually(t, func() error {
		code, body := w.get(t, path)
		for _, text := range want {
			if !strings.Contains(body, text) {
				return fmt.Errorf("%s is %d without %q:\n%s", path, code, text, body)
			}
		}
		return nil
	})
}

func measuring(name string, value float64, warning, critical checker.Limit) checker.Check {
	return checker.Check{
		Name: name, Interval: 20 * time.Millisecond, FailingInterval: 20 * time.Millisecond, Warning: warning, Critical: critical,
		Measure: func(context.Context) (checker.Measurement, error) { return checker.Measurement{Value: value}, nil },
	}
}

func TestValuesAtEveryEndpoint(t *testing.T) {
	var told *telemetry
	w := serve(t, func(cfg *vitals.Config) {
		told = export(cfg)
		cfg.Prometheus = true
		cfg.Dependencies = []checker.Check{{Name: "queue", TTL: time.Minute}, {
			Name: "replica", Interval: 20 * time.Millisecond, FailingInterval: 20 * time.Millisecond,
			Run: func(ctx context.Context) error {
				checker.SetValue(ctx, "lag", 2.5, "s")
				checker.SetValue(ctx, "connections", 0, "")
				return checker.Failed("it follows nothing", errors.New("hunter2"))
			},
		}}
	})
	if err := w.Checker().Push("queue", checker.Outcome{Text: "idle", Values: []checker.Value{{Name: "depth", Number: 7}}}); err != nil {
		t.Fatal(err)
	}
	w.shows(t, "/health/queue", `"message":"Dependency queue is available: idle"`, `"values":[{"name":"depth","number":7,"unit":"1"}]`)
	values := `"values":[{"name":"connections","number":0,"unit":"1"},{"name":"lag","number":2.5,"unit":"s"}]`
	w.shows(t, "/health/replica", `"message":"Dependency replica is unavailable: it follows nothing"`, values)
	w.shows(t, "/health", values)
	w.shows(t, "/health?format=health", `"replica:lag":[{"componentType":"component","observedValue":2.5,"observedUnit":"s","status":"fail"`)
	w.shows(t, "/health?format=html", "connections 0 · lag 2.5 s")
	w.shows(t, "/metrics", `health_check_value{check="replica",name="lag",unit="s"} 2.5`, `health_check_value{check="queue",name="depth",unit="1"} 7`)
	if metrics := told.metrics(t); !strings.Contains(metrics, "vitals.check.value vitals.check.name=replica,vitals.unit=s,vitals.value.name=lag 2.5") {
		t.Errorf("OpenTelemetry lacks a value:\n%s", metrics)
	}
	report, err := vitalspb.NewHealthReportServiceClient(w.conn).GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if v := report.GetMetrics()["dependency_replica"].GetValues(); len(v) != 2 || v[1].GetName() != "lag" || v[1].GetNumber() != 2.5 {
		t.Errorf("the report RPC has the values %v", v)
	}
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}

// Five checks behind one database: one error, and one cause at every endpoint.
func TestOneCauseIsReportedOnce(t *testing.T) {
	var broken atomic.Bool
	var log bytes.Buffer // read after Serve has returned
	var told *telemetry
	w := serve(t, func(cfg *vitals.Config) {
		told = export(cfg)
		cfg.Prometheus, cfg.Logger = true, slog.New(slog.NewTextHandler(&log, nil))
		cfg.Dependencies = nil
		for i, name := range []string{"zz_database", "carts", "orders", "prices", "users", "stock"} {
			check := checker.Check{Name: name, Interval: 20 * time.Millisecond, FailingInterval: 20 * time.Millisecond, Run: func(context.Context) error {
				if broken.Load() {
					return errors.New("down")
				}
				return nil
			}}
			if i > 0 {
				check.DependsOn = []string{"zz_database"}
			}
			cfg.Dependencies = append(cfg.Dependencies, check)
		}
	})
	w.answers(t, "/ready", http.StatusOK)
	broken.Store(true)
	w.shows(t, "/health/orders", `"reason":"error","caused_by":"zz_database"`, "Dependency orders is unavailable: caused by zz_database")
	w.shows(t, "/health/stock", `"caused_by":"zz_database"`)
	w.shows(t, "/metrics", `health_check_caused{cause="zz_database",check="users"} 1`)
	if metrics := told.metrics(t); !strings.Contains(metrics, "vitals.check.caused vitals.cause=zz_database,vitals.check.name=users 1") {
		t.Errorf("OpenTelemetry lacks the cause:\n%s", metrics)
	}
	eventually(t, func() error {
		if _, body := w.get(t, "/ready"); !strings.HasPrefix(body, "zz_database\n") || strings.Count(body, "\n") != 6 {
			return fmt.Errorf("the cause does not come first of all: %q", body)
		}
		return nil
	})
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "the process gets too little CPU") {
		return // a busy machine adds lines of its own
	}
	if strings.Count(log.String(), "level=ERROR") != 1 || !strings.Contains(log.String(), `msg="server is not serving: `) {
		t.Errorf("want one error in the log:\n%s", log.String())
	}
	for _, name := range []string{"carts", "orders", "prices", "users", "stock"} {
		if strings.Contains(log.String(), `level=WARN msg="`+name) {
			t.Errorf("%s has a line of its own", name)
		}
	}
}

func TestGroupsAndStandbyAtEveryEndpoint(t *testing.T) {
	var told *telemetry
	w := serve(t, func(cfg *vitals.Config) {
		told = export(cfg)
		cfg.Prometheus = true
		cfg.Server.Groups = map[string][]string{"storage": {"database"}}
	})
	w.shows(t, "/health/storage", `{"name":"storage","status":"SERVING"}`)
	w.shows(t, "/metrics", `health_status{service="storage"} 1`, "health_standby 0")
	check(t, w.conn, "storage", healthpb.HealthCheckResponse_SERVING)

	w.Server().SetStandby(true)
	w.answers(t, "/ready", http.StatusServiceUnavailable)
	w.answers(t, "/health", http.StatusOK)
	w.answers(t, "/health/storage", http.StatusOK)
	w.shows(t, "/ready", "standby")
	w.shows(t, "/health", `"standby":true`, `"reason":"standby"`)
	w.shows(t, "/health?format=html", "out of traffic on purpose")
	w.shows(t, "/metrics", "health_standby 1", `health_status{service="readiness"} 0`)
	if metrics := told.metrics(t); !strings.Contains(metrics, "vitals.standby  1") {
		t.Errorf("OpenTelemetry lacks the standby:\n%s", metrics)
	}
	w.Server().SetStandby(false)
	w.answers(t, "/ready", http.StatusOK)
	w.broken.Store(true)
	w.answers(t, "/health/storage", http.StatusServiceUnavailable)
	w.shows(t, "/metrics", `health_status{service="storage"} 0`)
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}

func TestZeroIsAMeasurement(t *testing.T) {
	var told *telemetry
	w := serve(t, func(cfg *vitals.Config) {
		told = export(cfg)
		cfg.Prometheus = true
		cfg.Dependencies = []checker.Check{
			measuring("consumers", 0, checker.Limit{}, checker.Below(1)),
			measuring("migrations", 0, checker.Limit{}, checker.Above(0)),
		}
		cfg.Checks = []checker.Check{{
			Name: "replicas", Kind: checker.Resource, Critical: checker.Below(2),
			Measure: func(context.Context) (checker.Measurement, error) { return checker.Measurement{}, nil },
		}}
	})
	w.answers(t, "/health/migrations", http.StatusOK)
	w.answers(t, "/health/consumers", http.StatusServiceUnavailable)
	w.shows(t, "/health/consumers", `"value":"0.0","status":"critical"`, `"threshold":"1"`, `"number":0,"unit":"1"`)
	w.shows(t, "/metrics", `health_measurement{check="consumers",unit="1"} 0`, `health_measurement{check="migrations",unit="1"} 0`)
	w.shows(t, "/health?format=html", "limit at least 2")
	if metrics := told.metrics(t); !strings.Contains(metrics, "vitals.check.measurement vitals.check.name=migrations,vitals.unit=1 0") {
		t.Errorf("OpenTelemetry lacks a measurement of 0:\n%s", metrics)
	}
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}
