package supervisor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/examples/plugin/kv"
	"github.com/vitals-go/vitals/servicer/healthclient"
)

// grace is how long a plugin may take to say goodbye. go-plugin gives its process two seconds after that.
const grace = time.Second

// Plugin is one process of a plugin.
type Plugin struct {
	// Conn reaches the store, grpc.health.v1 and the report service. It is closed when the plugin ends.
	Conn *grpc.ClientConn

	client *plugin.Client
	kill   context.CancelFunc
	folder string // for sockets, ours
}

// start starts a process and waits until it is alive.
func (s *Supervisor) start(ctx context.Context) (*Plugin, error) {
	// A plugin that is killed leaves its socket behind, so it gets a folder that goes when it does. The path of a
	// socket may have 107 bytes, hence the short name.
	folder, err := os.MkdirTemp("", "kv-")
	if err != nil {
		return nil, err
	}
	living, kill := context.WithCancel(context.WithoutCancel(ctx))
	release := context.AfterFunc(ctx, kill) // go-plugin's Start knows no context
	defer release()
	p := &Plugin{client: s.client(living, folder), kill: kill, folder: folder}
	if err := p.connect(ctx, s.cfg.StartTimeout); err != nil {
		p.end(true)
		return nil, err
	}
	return p, nil
}

// connect starts the process and returns once its liveness is serving, or an error.
func (p *Plugin) connect(ctx context.Context, within time.Duration) error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	dispensed, err := protocol.Dispense(kv.Name)
	if err != nil {
		return err
	}
	conn, ok := dispensed.(*grpc.ClientConn)
	if !ok {
		return fmt.Errorf("supervisor: the plugin speaks %s, not gRPC", p.client.Protocol())
	}
	p.Conn = conn
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return healthclient.WaitServing(ctx, conn, checker.Liveness)
}

func (s *Supervisor) client(living context.Context, folder string) *plugin.Client {
	cmd := exec.CommandContext(living, s.cfg.Path, s.cfg.Args...)
	cmd.Env = append(cmd.Environ(), s.cfg.Env...)
	cmd.Env = append(cmd.Env, plugin.EnvUnixSocketDir+"="+folder)
	return plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  kv.Handshake(),
		Plugins:          plugin.PluginSet{kv.Name: &kv.Plugin{}},
		Cmd:              cmd,
		SkipHostEnv:      true, // else the host's would win over ours; it is inherited all the same
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         s.cfg.AutoMTLS,
		StartTimeout:     s.cfg.StartTimeout,
		Logger:           s.cfg.PluginLogger,
	})
}

// end ends the process and its children and waits until they have exited. A process that hangs is killed at once:
// go-plugin's Kill first requests a graceful exit and waits forever for the response.
func (p *Plugin) end(hangs bool) {
	if hangs {
		p.kill()
	}
	patience := time.AfterFunc(grace, p.kill)
	p.client.Kill()
	patience.Stop()
	p.kill()
	_ = os.RemoveAll(p.folder)
}

// PID is the number of the process.
func (p *Plugin) PID() string { return p.client.ID() }

// Ping returns nil if the plugin responds before ctx ends. Unlike go-plugin's, it has a timeout.
func (p *Plugin) Ping(ctx context.Context) error {
	_, err := healthpb.NewHealthClient(p.Conn).Check(ctx, &healthpb.HealthCheckRequest{Service: plugin.GRPCServiceName})
	return err
}

// ready returns nil if the plugin's readiness is serving.
func (p *Plugin) ready(ctx context.Context) error {
	response, err := healthpb.NewHealthClient(p.Conn).Check(ctx, &healthpb.HealthCheckRequest{Service: checker.Readiness})
	if err != nil {
		return err
	}
	if response.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("the plugin is not ready: %v", response.GetStatus())
	}
	return nil
}
