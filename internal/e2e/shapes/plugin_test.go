package shapes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/e2e/shapes"
)

const asPlugin = "VITALS_TEST_AS_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		servePlugin()
		return
	}
	os.Exit(m.Run())
}

var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: asPlugin, MagicCookieValue: "1"}

// testService is the service of a fixture as a plugin.
type testService struct {
	plugin.NetRPCUnsupportedPlugin

	service testpb.TestServiceServer
}

func (p *testService) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	testpb.RegisterTestServiceServer(server, p.service)
	return nil
}

func (*testService) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

func inPlugin(t *testing.T, f *shapes.Fixture) shapes.Served {
	t.Helper()
	var server *grpc.Server
	reattach, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	go plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{"test": &testService{service: f.Service}},
		Logger:          hclog.NewNullLogger(),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			server = f.Health.PluginServer(options)
			return server
		},
		Test: &plugin.ServeTestConfig{Context: t.Context(), ReattachConfigCh: reattach, CloseCh: closed},
	})
	addr := (<-reattach).Addr
	return shapes.Run(t, addr.Network()+":"+addr.String(), func(ctx context.Context) error {
		err := f.Health.Run(ctx)
		server.GracefulStop()
		<-closed
		return err
	})
}

func TestPlugin(t *testing.T) {
	shapes.Test(t, shapes.Shape{Name: "go-plugin", Serve: inPlugin})
}

// panicking panics in every call.
type panicking struct {
	testpb.UnimplementedTestServiceServer
}

func (panicking) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) { panic("broken") }

// servePlugin is the process of a plugin whose check fails and whose handler panics, with the default logger.
func servePlugin() {
	health, err := vitals.New(vitals.Config{Dependencies: []checker.Check{
		{Name: "database", Run: func(context.Context) error { return errors.New("down") }},
	}})
	if err != nil {
		panic(err)
	}
	shake, plugins := handshake, plugin.PluginSet{"test": &testService{service: panicking{}}}
	ctx, stop := context.WithCancel(context.Background())
	drained := make(chan error, 1)
	go func() { drained <- health.Run(ctx) }()
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: shake,
		Plugins:         plugins,
		GRPCServer:      health.PluginServer,
	})
	stop()
	<-drained
}

// TestPluginLogsReachTheHostWithTheirLevel starts a real plugin and reads the log of its host.
func TestPluginLogsReachTheHostWithTheirLevel(t *testing.T) {
	read, write := io.Pipe()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self) //nolint:gosec // this test
	command.Env = append(os.Environ(), asPlugin+"=1")
	host := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{"test": &testService{}},
		Cmd:              command,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: write, JSONFormat: true}),
	})
	defer host.Kill()
	levels := make(chan [2]string, 100)
	go func() {
		for lines := bufio.NewScanner(read); lines.Scan(); {
			var line map[string]any
			_ = json.Unmarshal(lines.Bytes(), &line) // Other lines are not JSON.
			if vitals, _ := line["vitals"].(map[string]any); vitals["logger"] == "plugin.health" {
				message, _ := line["@message"].(string)
				level, _ := line["@level"].(string)
				levels <- [2]string{message, level}
			}
		}
	}()
	protocol, err := host.Client()
	if err != nil {
		t.Fatal(err)
	}
	dispensed, err := protocol.Dispense("test")
	if err != nil {
		t.Fatal(err)
	}
	conn, _ := dispensed.(*grpc.ClientConn)
	if _, err := testpb.NewTestServiceClient(conn).EmptyCall(t.Context(), &testpb.Empty{}); status.Code(err) != codes.Internal {
		t.Fatalf("call: %v", err)
	}
	want := map[string]string{"gRPC handler panicked": "error", "Dependency database is unavailable": "error"}
	timeout := time.After(time.Minute)
	for len(want) > 0 {
		select {
		case got := <-levels:
			if level, found := want[got[0]]; found {
				if got[1] != level {
					t.Errorf("%q has level %s, want %s", got[0], got[1], level)
				}
				delete(want, got[0])
			}
		case <-timeout:
			t.Fatalf("the host has not logged %q", want)
		}
	}
}
