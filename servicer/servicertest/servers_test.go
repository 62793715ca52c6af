package servicertest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/healthcheck"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/servicertest"
)

// dependency is a check that a test makes fail.
type dependency struct{ broken atomic.Bool }

func (d *dependency) check() checker.Check {
	return checker.Check{Name: db, Run: func(context.Context) error {
		if d.broken.Load() {
			return errors.New("refused")
		}
		return nil
	}}
}

func (d *dependency) fail() (recover func()) {
	d.broken.Store(true)
	return func() { d.broken.Store(false) }
}

// passes fails the test for violations, and for skipped rules without one of the prefixes.
func passes(t *testing.T, result *servicertest.Result, skipped ...string) {
	t.Helper()
	for _, f := range result.Violations {
		t.Errorf("%v", f)
	}
	for _, rule := range result.Skipped {
		if !slices.ContainsFunc(skipped, func(prefix string) bool { return strings.HasPrefix(rule.ID, prefix) }) {
			t.Errorf("%s is skipped", rule.ID)
		}
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	for _, byInterceptors := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var database dependency
			checks, err := checker.New(checker.Config{Checks: []checker.Check{database.check()}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := servicer.New(servicer.Config{Checker: checks, Services: []string{orders}})
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer(grpc.UnaryInterceptor(s.UnaryHealthInterceptor), grpc.StreamInterceptor(s.StreamHealthInterceptor))
			if byInterceptors { // as in go-plugin
				healthpb.RegisterHealthServer(server, health.NewServer())
			} else {
				server = grpc.NewServer()
				s.Register(server)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 2)
			go func() { ended <- checks.Run(ctx) }()
			go func() { ended <- s.Run(ctx) }()
			result := runCheck(t, servicertest.Target{
				Conn: connect(t, server), Names: []string{orders, db}, Fail: map[string]func() (recover func()){db: database.fail},
				Drain: func() { _ = s.Drain(ctx, server) }, DrainDelay: 5 * time.Second, Timeout: 2 * time.Minute,
			})
			passes(t, result, "http", "file", "probe", "drain.endpoints", "drain.file")
			stop()
			if err := errors.Join(<-ended, <-ended); err != nil {
				t.Error(err)
			}
		})
	}
}

// echo is a service of the application.
type echo struct {
	testpb.UnimplementedTestServiceServer
}

func (echo) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

const echoService = "grpc.testing.TestService"

// inMemory is an http.RoundTripper without a network.
type inMemory struct{ http.Handler }

func (h inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// serve serves cfg with a database and all endpoints, and returns the target.
func serve(t *testing.T, cfg vitals.Config) servicertest.Target {
	t.Helper()
	database := new(dependency)
	file := filepath.Join(t.TempDir(), "health")
	cfg.Dependencies = append(cfg.Dependencies, database.check())
	cfg.FilePath, cfg.Prometheus, cfg.Logger = file, true, slog.New(slog.DiscardHandler)
	h, err := vitals.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(h.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, echo{})
	lis := bufconn.Listen(1 << 16)
	conn := dialMemory(t, lis)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, server, lis) }()
	return servicertest.Target{
		Conn: conn, Names: []string{echoService, db},
		HTTP: "http://here", File: file,
		Probe: func(context.Context) int {
			return healthcheck.Main([]string{"-file", file}, new(bytes.Buffer), new(bytes.Buffer))
		},
		Fail: map[string]func() (recover func()){db: database.fail},
		Drain: func() {
			stop()
			if err := <-served; err != nil {
				t.Errorf("Serve: %v", err)
			}
		},
		DrainDelay: 5 * time.Second, Timeout: 2 * time.Minute,
		Call: func(ctx context.Context) error {
			_, err := testpb.NewTestServiceClient(conn).EmptyCall(ctx, &testpb.Empty{})
			return err
		},
	}.WithTransport(inMemory{h.Handler()})
}

func TestServe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { passes(t, runCheck(t, serve(t, vitals.Config{}))) })
}

// stuck is a source of breakers that can block.
type stuck struct{ lock chan struct{} }

func (m *stuck) Snapshots() []breaker.Snapshot {
	m.lock <- struct{}{}
	<-m.lock
	return nil
}

func (m *stuck) Changed() <-chan struct{} { return nil }

// TestStalledEvaluationAtEveryEndpoint blocks the evaluation; every endpoint must report unknown.
func TestStalledEvaluationAtEveryEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &stuck{make(chan struct{}, 1)}
		target := serve(t, vitals.Config{Breakers: []breaker.SnapshotSource{m}})
		target.Fail[db] = func() (recover func()) {
			m.lock <- struct{}{}
			return func() { <-m.lock }
		}
		target.Skip = []string{"fail.liveness"} // fails, because a restart may help
		passes(t, runCheck(t, target), "fail.liveness")
	})
}

// TestPluginServer tests health served by interceptors, before the health service that go-plugin registers.
func TestPluginServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var database dependency
		h, err := vitals.New(vitals.Config{Dependencies: []checker.Check{database.check()}, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		server := h.PluginServer([]grpc.ServerOption{grpc.Creds(insecure.NewCredentials())})
		theirs := health.NewServer()
		theirs.SetServingStatus("plugin", serving)
		healthpb.RegisterHealthServer(server, theirs)
		testpb.RegisterTestServiceServer(server, echo{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		result := runCheck(t, servicertest.Target{
			Conn: connect(t, server), Names: []string{"plugin", echoService, db},
			Fail: map[string]func() (recover func()){db: database.fail}, Timeout: 2 * time.Minute,
			Drain: func() {
				stop()
				if err := <-ended; err != nil {
					t.Errorf("Run: %v", err)
				}
				server.GracefulStop()
			},
		})
		passes(t, result, "http", "file", "probe", "drain.liveness", "drain.serves", "drain.endpoints", "drain.file")
	})
}

// TestHealthServerOfGRPC documents how grpc-go's health server differs.
func TestHealthServerOfGRPC(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, theirs := grpc.NewServer(), health.NewServer()
		theirs.SetServingStatus(orders, serving)
		healthpb.RegisterHealthServer(server, theirs)
		set := func(state servingStatus) {
			theirs.SetServingStatus("", state)
			theirs.SetServingStatus(orders, state)
		}
		result := runCheck(t, servicertest.Target{
			Conn: connect(t, server), Names: []string{orders},
			Fail: map[string]func() (recover func()){orders: func() (recover func()) {
				set(notServing)
				return func() { set(serving) }
			}},
			Drain: func() {
				theirs.Shutdown()
				server.GracefulStop()
			},
		})
		want := []string{"drain.unknown", "drain.ends"}
		if got := result.Failed(); !slices.Equal(got, want) {
			t.Errorf("got violations of %v, want %v\n%v", got, want, result)
		}
		for _, rule := range []string{"watch.follows", "fail.readiness", "fail.recover", "drain.notifies", "list.agrees"} {
			if slices.ContainsFunc(result.Skipped, func(r servicertest.Rule) bool { return r.ID == rule }) {
				t.Errorf("%s is skipped", rule)
			}
		}
	})
}

func TestUnreachableServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result := runCheck(t, servicertest.Target{Conn: connect(t, grpc.NewServer())})
		if !slices.Equal(result.Failed(), []string{"check.overall"}) || len(result.Skipped) != len(servicertest.Rules())-1 {
			t.Errorf("no health service: got violations of %v, skipped %v", result.Failed(), result.Skipped)
		}
		lis := bufconn.Listen(1)
		result = runCheck(t, servicertest.Target{Conn: dialMemory(t, lis)})
		if !slices.Equal(result.Failed(), []string{"check.overall"}) || len(result.Skipped) != len(servicertest.Rules())-1 {
			t.Errorf("no server: got violations of %v, skipped %v", result.Failed(), result.Skipped)
		}
	})
}
