package vitals

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// pluginName is what go-plugin's hosts ask Check for. Their Ping wants an answer and does not look at it.
const pluginName = "plugin"

// PluginServer makes a server for plugin.ServeConfig.GRPCServer of HashiCorp's go-plugin, which registers a health
// service of its own that always says SERVING, and where registering a second one ends the process:
//
//	plugin.Serve(&plugin.ServeConfig{…, GRPCServer: health.PluginServer})
//
// Health is answered before go-plugin's service hears of it, the report service is registered, calls are recorded and
// panics recovered. The name "plugin" is always known, so that Ping succeeds for as long as the process lives, whatever
// its dependencies do, and its status is that of readiness. Services are known by their names from the first call on; a
// check that has such a name, or gates a service that does not exist, is logged then.
//
// It may be called more than once, as go-plugin's broker does: all servers share one health. Use Run beside
// plugin.Serve; once PluginServer has been called, Run ends without the delay, because go-plugin has closed the
// connection by then and its host waits for two seconds only.
func (h *Health) PluginServer(options []grpc.ServerOption) *grpc.Server {
	h.isPlugin.Store(true)
	p := &pluginServer{health: h}
	p.Server = grpc.NewServer(slices.Concat([]grpc.ServerOption{
		grpc.ChainUnaryInterceptor(p.unary),
		grpc.ChainStreamInterceptor(p.stream),
	}, h.ServerOptions(), options)...)
	h.server.RegisterReports(p.Server)
	return p.Server
}

// pluginServer learns what go-plugin has registered when the first call comes: not before is it certain that nothing
// more will be, and that nobody writes what GetServiceInfo reads.
type pluginServer struct {
	*grpc.Server

	health *Health
	once   sync.Once
}

func (p *pluginServer) unary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	p.once.Do(p.addServices)
	return handler(ctx, request)
}

func (p *pluginServer) stream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	p.once.Do(p.addServices)
	return handler(service, stream)
}

func (p *pluginServer) addServices() {
	p.health.recorder.Register(p.Server)
	services := slices.AppendSeq([]string{pluginName}, maps.Keys(p.GetServiceInfo()))
	if err := p.health.server.AddServices(services...); err != nil {
		p.health.log.LogAttrs(context.Background(), slog.LevelError, "the plugin's services have no health of their own",
			slog.Any("error", err))
		p.health.server.SetServingStatus(pluginName, healthpb.HealthCheckResponse_SERVING)
	}
}
