package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/examples/plugin/kv"
	kvv1 "github.com/vitals-go/vitals/examples/plugin/kv/v1"
	"github.com/vitals-go/vitals/examples/plugin/testplugin"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer/healthclient"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const patience = 30 * time.Second // The machine may be slow; what is tested is not the time.

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
)

// started is a plugin as any host starts it, with nothing of ours in between.
type started struct {
	client   *plugin.Client
	protocol plugin.ClientProtocol
	conn     *grpc.ClientConn
	log      *logtest.Log
}

func start(t *testing.T, mtls bool, environ ...string) *started {
	t.Helper()
	cmd := exec.Command(testdeps.Program(t, "plugin/store"))
	cmd.Env = append(cmd.Environ(), environ...)
	s := &started{log: new(logtest.Log)}
	s.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: kv.Handshake(), Plugins: plugin.PluginSet{kv.Name: &kv.Plugin{}}, Cmd: cmd, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, AutoMTLS: mtls, StartTimeout: patience,
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: s.log}),
	})
	t.Cleanup(s.client.Kill)
	var err error
	if s.protocol, err = s.client.Client(); err != nil {
		t.Fatal(err)
	}
	conn, err := s.protocol.Dispense(kv.Name)
	if err != nil {
		t.Fatal(err)
	}
	s.conn = conn.(*grpc.ClientConn)
	return s
}

func (s *started) check(t *testing.T, name string) healthpb.HealthCheckResponse_ServingStatus {
	t.Helper()
	response, err := healthpb.NewHealthClient(s.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	if err != nil {
		t.Errorf("Check(%q): %v", name, err)
	}
	return response.GetStatus()
}

func TestHostSeesATrueHealth(t *testing.T) {
	for name, mtls := range map[string]bool{"plain": false, "AutoMTLS": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
			defer cancel()
			origin := testplugin.NewOrigin(t)
			s := start(t, mtls, "KV_ORIGIN_URL="+origin.URL)
			next, stop := states(ctx, s.conn, "plugin.kv.v1.Store")
			defer stop()
			for _, want := range []healthpb.HealthCheckResponse_ServingStatus{serving, notServing, serving} {
				origin.Failing.Store(want == notServing)
				for got := range next {
					if got.Err == nil && got.Status == want {
						break
					}
				}
				if err := s.protocol.Ping(); err != nil {
					t.Errorf("Ping while %v: %v", want, err)
				}
				for _, name := range []string{"", "plugin", "readiness", "origin", "plugin.kv.v1.Store"} {
					testdeps.Eventually(t, patience, func() error {
						if got := s.check(t, name); got != want {
							return fmt.Errorf("%q is %v, want %v", name, got, want)
						}
						return nil
					})
				}
				for _, name := range []string{"liveness", "journal"} {
					if got := s.check(t, name); got != serving {
						t.Errorf("%q is %v while the origin is %v, want SERVING", name, got, want)
					}
				}
				s.expectReport(t, want == serving)
			}
			list, err := healthpb.NewHealthClient(s.conn).List(ctx, &healthpb.HealthListRequest{})
			if err != nil || list.Statuses["plugin"].GetStatus() != serving || list.Statuses["plugin.kv.v1.Store"] == nil {
				t.Errorf("List = %v, %v", list, err)
			}
			s.expectCleanEnd(t)
		})
	}
}

// states hands out what Watch yields, one at a time, to more than one loop.
func states(ctx context.Context, conn *grpc.ClientConn, service string) (states <-chan healthclient.State, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	c := make(chan healthclient.State)
	go func() {
		defer close(c)
		for state := range healthclient.Watch(ctx, conn, service) {
			select {
			case c <- *state:
			case <-ctx.Done():
			}
		}
	}()
	return c, func() {
		cancel()
		for range c {
		}
	}
}

func (s *started) expectReport(t *testing.T, available bool) {
	t.Helper()
	report, err := vitalspb.NewHealthReportServiceClient(s.conn).GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := "available"
	if !available {
		want = "unavailable"
	}
	if metric := report.Metrics["dependency_origin"]; metric.GetValue() != want || strings.Contains(metric.String(), "127.0.0.1") {
		t.Errorf("the report says %v, want %s and no address", metric, want)
	}
}

// expectCleanEnd ends the plugin as its host does and fails if it had to be killed.
func (s *started) expectCleanEnd(t *testing.T) {
	t.Helper()
	s.client.Kill()
	if !s.client.Exited() || strings.Contains(s.log.String(), "failed to exit gracefully") {
		t.Errorf("the plugin had to be killed:\n%s", s.log)
	}
}

func TestPingDoesNotWaitForADependencyThatHangs(t *testing.T) {
	origin := testplugin.NewOrigin(t)
	origin.Hanging.Store(true)
	s := start(t, false, "KV_ORIGIN_URL="+origin.URL)
	testdeps.Eventually(t, patience, func() error {
		if origin.Waiting.Load() == 0 {
			return errors.New("the origin has not been asked")
		}
		return nil
	})
	if err := s.protocol.Ping(); err != nil { // waits for ever if the plugin does
		t.Error(err)
	}
	if got := s.check(t, "liveness"); got != serving {
		t.Errorf("liveness is %v, want SERVING", got)
	}
	if got := s.check(t, "readiness"); got != notServing {
		t.Errorf("readiness is %v without an answer of the origin, want NOT_SERVING", got)
	}
	s.expectCleanEnd(t)
}

func TestNothingButTheHandshakeIsPrinted(t *testing.T) {
	folder, http := t.TempDir(), testdeps.Addr(testdeps.Port(t))
	shake := kv.Handshake()
	cmd := exec.Command(testdeps.Program(t, "plugin/store"))
	cmd.Env = append(cmd.Environ(), shake.MagicCookieKey+"="+shake.MagicCookieValue, "PLUGIN_PROTOCOL_VERSIONS=1",
		"TMPDIR="+folder, "PLUGIN_HEALTH_FILE_PATH="+filepath.Join(folder, "health"), "PLUGIN_HEALTH_HTTP_ADDR="+http,
		"KV_ORIGIN_URL=http://127.0.0.1:1")
	printed, log := new(logtest.Log), new(logtest.Log)
	cmd.Stdout, cmd.Stderr = printed, log
	p := testdeps.Start(t, cmd)
	testdeps.Eventually(t, patience, func() error { // by then the checks have run
		if !strings.Contains(log.String(), "origin is unavailable") || !strings.Contains(printed.String(), "\n") {
			return fmt.Errorf("printed %q; the log says %q, want the origin's failure", printed, log)
		}
		return nil
	})
	p.Kill()
	if text := printed.String(); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "1|1|unix|") {
		t.Errorf("printed %q, want one line of handshake", text)
	}
}

func TestPluginLeavesTheHostsDoorsAlone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0") // by the host
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "health")
	s := start(t, false, "PLUGIN_HEALTH_HTTP_ADDR="+taken.Addr().String(), "PLUGIN_HEALTH_FILE_PATH="+file)
	if err := healthclient.WaitServing(t.Context(), s.conn, "readiness"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the plugin has written its host's file: %v", err)
	}
	s.expectCleanEnd(t)
}

func TestStoreAnswers(t *testing.T) {
	origin := testplugin.NewOrigin(t)
	s := start(t, true, "KV_ORIGIN_URL="+origin.URL, "KV_CHAOS=true")
	store, ctx := kvv1.NewStoreClient(s.conn), t.Context()
	if _, err := store.Put(ctx, &kvv1.PutRequest{Key: "a", Value: "1"}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": "1", "b": "from the origin"} {
		if response, err := store.Get(ctx, &kvv1.GetRequest{Key: key}); err != nil || response.Value != want {
			t.Errorf("Get(%q) = %q, %v; want %q", key, response.GetValue(), err, want)
		}
	}
	if _, err := store.Delete(ctx, &kvv1.DeleteRequest{Key: "a"}); err != nil {
		t.Error(err)
	}
	if _, err := store.Put(ctx, &kvv1.PutRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("Put without a key: %v", err)
	}
	if _, err := store.Put(ctx, &kvv1.PutRequest{Key: "chaos/panic"}); status.Code(err) != codes.Internal {
		t.Errorf("a panic becomes %v, want Internal", err)
	}
	origin.Failing.Store(true)
	if _, err := store.Get(ctx, &kvv1.GetRequest{Key: "c"}); status.Code(err) != codes.Unavailable || strings.Contains(err.Error(), "500") {
		t.Errorf("Get from a failing origin: %v, want Unavailable without the cause", err)
	}
}

func TestMistakesInTheEnvironmentAreNamed(t *testing.T) {
	t.Setenv("KV_ORIGIN_URL", "nowhere")
	t.Setenv("KV_CHAOS", "perhaps")
	t.Setenv("PLUGIN_HEALTH_CHECK_INTERVAL", "soon")
	_, err := configFromEnv()
	for _, variable := range []string{"KV_ORIGIN_URL", "KV_CHAOS", "PLUGIN_HEALTH_CHECK_INTERVAL"} {
		if err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("%v does not name %s", err, variable)
		}
	}
}
