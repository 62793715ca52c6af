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
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/servicertest"
)

// dependency is a check that a test breaks and repairs.
type dependency struct{ broken atomic.Bool }

func (d *dependency) check() checker.Check {
	return checker.Check{Name: db, Run: func(context.Context) error {
		if d.broken.Load() {
			return errors.New("refused")
		}
		return nil
	}}
}

func (d *dependency) fail(string) { d.broken.Store(true) }
func (d *dependency) heal(string) { d.broken.Store(false) }

// everythingBut are the rules that a test does not expect to be tested.
func everythingBut(t *testing.T, result *servicertest.Result, untested ...string) {
	t.Helper()
	for _, f := range result.Violations {
		t.Errorf("%v", f)
	}
	for _, rule := range result.Skipped {
		if !slices.ContainsFunc(untested, func(prefix string) bool { return strings.HasPrefix(rule.ID, prefix) }) {
			t.Errorf("%s is not tested", rule.ID)
		}
	}
}

func TestServicer(t *testing.T) {
	t.Parallel()
	for _, elsewhere := range []bool{false, true} {
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
			if elsewhere { // as go-plugin does, whose health service knows nothing
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
				Conn: connect(t, server), Names: []string{orders, db}, Checks: []string{db}, Fail: database.fail, Recover: database.heal,
				Drain: func() { _ = s.Drain(ctx, server) }, DrainDelay: 5 * time.Second, Timeout: 2 * time.Minute,
			})
			everythingBut(t, result, "http", "file", "probe", "drain.doors", "drain.file")
			stop()
			if err := errors.Join(<-ended, <-ended); err != nil {
				t.Error(err)
			}
		})
	}
}

// echo is an application.
type echo struct {
	testpb.UnimplementedTestServiceServer
}

func (echo) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

const echoService = "grpc.testing.TestService"

// byHand is an http.RoundTripper without a network.
type byHand struct{ http.Handler }

func (h byHand) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// serve serves cfg, to which it adds a database and the doors, and returns it as a target.
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
		HTTP: "http://here", HTTPClient: &http.Client{Transport: byHand{h.Handler()}}, File: file,
		Probe: func(context.Context) int {
			return probes.Main([]string{"-file", file}, new(bytes.Buffer), new(bytes.Buffer))
		},
		Checks: []string{db}, Fail: database.fail, Recover: database.heal,
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
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { everythingBut(t, runCheck(t, serve(t, vitals.Config{}))) })
}

// mute is a source of breakers that sometimes does not answer.
type mute struct{ lock chan struct{} }

func (m *mute) Snapshots() []breaker.Snapshot {
	m.lock <- struct{}{}
	<-m.lock
	return nil
}

func (m *mute) Changed() <-chan struct{} { return nil }

// TestAStuckJudgeAtEveryDoor keeps the judge from judging, and wants every door to say that nothing is known.
func TestAStuckJudgeAtEveryDoor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mute{make(chan struct{}, 1)}
		target := serve(t, vitals.Config{Breakers: []breaker.SnapshotSource{m}})
		target.Fail = func(string) { m.lock <- struct{}{} }
		target.Recover = func(string) { <-m.lock }
		target.Skip = []string{"fail.liveness"} // It fails, because a restart may cure a stuck judge.
		everythingBut(t, runCheck(t, target), "fail.liveness")
	})
}

// TestPluginServer judges health that is answered by interceptors, before the health service that go-plugin registers.
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
			Checks: []string{db}, Fail: database.fail, Recover: database.heal, Timeout: 2 * time.Minute,
			Drain: func() {
				stop()
				if err := <-ended; err != nil {
					t.Errorf("Run: %v", err)
				}
				server.GracefulStop()
			},
		})
		everythingBut(t, result, "http", "file", "probe", "drain.liveness", "drain.serves", "drain.doors", "drain.file")
	})
}

// TestHealthServerOfGRPC documents in what grpc-go's own server differs.
func TestHealthServerOfGRPC(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, theirs := grpc.NewServer(), health.NewServer()
		theirs.SetServingStatus(orders, serving)
		healthpb.RegisterHealthServer(server, theirs)
		set := func(state servingStatus) func(string) {
			return func(string) {
				theirs.SetServingStatus("", state)
				theirs.SetServingStatus(orders, state)
			}
		}
		result := runCheck(t, servicertest.Target{
			Conn: connect(t, server), Names: []string{orders}, Checks: []string{orders}, Fail: set(notServing), Recover: set(serving),
			Drain: func() {
				theirs.Shutdown()
				server.GracefulStop()
			},
		})
		want := []string{"drain.unknown", "drain.ends"}
		if got := result.Failed(); !slices.Equal(got, want) {
			t.Errorf("broken: %v, want %v\n%v", got, want, result)
		}
		for _, rule := range []string{"watch.follows", "fail.readiness", "fail.heal", "drain.told", "list.agrees"} {
			if !slices.ContainsFunc(result.Passed, func(r servicertest.Rule) bool { return r.ID == rule }) {
				t.Errorf("%s is not kept", rule)
			}
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result := runCheck(t, servicertest.Target{Conn: connect(t, grpc.NewServer())})
		if !slices.Equal(result.Failed(), []string{"check.overall"}) || len(result.Passed) > 0 {
			t.Errorf("a server without health: broken %v, kept %v", result.Failed(), result.Passed)
		}
		lis := bufconn.Listen(1)
		result = runCheck(t, servicertest.Target{Conn: dialMemory(t, lis)})
		if !slices.Equal(result.Failed(), []string{"check.overall"}) || len(result.Passed) > 0 {
			t.Errorf("nobody: broken %v, kept %v", result.Failed(), result.Passed)
		}
	})
}
