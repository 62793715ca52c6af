package vitals

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// pluginName is the name that hosts of go-plugin pass to Check. Their Ping requires a response, whatever its status.
const pluginName = "plugin"

// PluginServer creates a server for plugin.ServeConfig.GRPCServer of HashiCorp's go-plugin:
//
//	plugin.Serve(&plugin.ServeConfig{…, GRPCServer: health.PluginServer})
//
// go-plugin registers a health service that always returns SERVING, and a second registration ends the process. The
// interceptors of this server handle health requests first; the report service is registered, calls are recorded, panics
// recovered. The name "plugin" is always known, with the status of readiness. Services are known from the first call on; a
// check that has the name of one, or gates an unknown one, is logged then.
//
// It may be called more than once, as go-plugin's broker does. Use Run beside plugin.Serve; Run then ends without the drain
// delay, because go-plugin has closed the connection by then and its host waits for 2 s only.
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

// pluginServer reads the registered services at the first call: before it, go-plugin may still register some, and
// GetServiceInfo must not run concurrently with that.
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
	if !p.health.addServices(p, pluginName) {
		p.health.server.SetServingStatus(pluginName, healthpb.HealthCheckResponse_SERVING)
	}
}
