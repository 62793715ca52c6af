package vitals

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// handshakeTimeout bounds the handshake of a connection: without it a silent peer delays GracefulStop by two minutes.
const handshakeTimeout = 10 * time.Second

// minPing is the shortest time between two keepalive pings of a client. grpc-go's clients send one every 10 s at most; its
// servers close by default the connection of a client that sends them more often than every 5 minutes.
const minPing = 5 * time.Second

func keepaliveEnforcement() grpc.ServerOption {
	return grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true})
}

// ServerOptions returns the options for grpc.NewServer: one interceptor for unary calls, one for streams, a handshake
// timeout of 10 s, and a keepalive policy that allows clients to send pings every 5 s. Later options override the last two.
// The interceptors handle health requests first, so that later ones, for instance for credentials, do not
// reject them. For all other calls they add the headers and trailers of Config.Envoy and Config.LoadReports, record the
// call, limit calls by Config.MaxInFlight, and turn a panic into codes.Internal, with the stack in the log only.
//
// Place them before other interceptors. An interceptor of grpc.UnaryInterceptor or grpc.StreamInterceptor runs before them
// wherever the option stands, as grpc.InTapHandle does: calls that it rejects are not recorded, and a panic there ends the
// process. Chain it instead, or use FirstServerOptions. Serve logs a warning if something runs before them.
func (h *Health) ServerOptions() []grpc.ServerOption {
	unary, stream := h.interceptors()
	return []grpc.ServerOption{
		grpc.ConnectionTimeout(handshakeTimeout), keepaliveEnforcement(),
		grpc.ChainUnaryInterceptor(unary), grpc.ChainStreamInterceptor(stream),
	}
}

// FirstServerOptions is ServerOptions with the interceptors of grpc.UnaryInterceptor and grpc.StreamInterceptor, which run
// before all chained ones, wherever the option stands. It is for frameworks that place interceptors of their own first.
// grpc.NewServer panics if either is set twice.
func (h *Health) FirstServerOptions() []grpc.ServerOption {
	unary, stream := h.interceptors()
	return []grpc.ServerOption{
		grpc.ConnectionTimeout(handshakeTimeout), keepaliveEnforcement(),
		grpc.UnaryInterceptor(unary), grpc.StreamInterceptor(stream),
	}
}

func (h *Health) interceptors() (grpc.UnaryServerInterceptor, grpc.StreamServerInterceptor) {
	unary, stream := h.recorder.ServerInterceptors()
	if h.limiter != nil {
		unary, stream = chainUnary(unary, h.limiter.UnaryServerInterceptor), chainStream(stream, h.limiter.StreamServerInterceptor)
	}
	if h.load != nil {
		unary, stream = chainUnary(h.load.UnaryServerInterceptor, unary), chainStream(h.load.StreamServerInterceptor, stream)
	}
	if h.cfg.Envoy {
		unary, stream = chainUnary(h.server.UnaryEnvoyInterceptor, unary), chainStream(h.server.StreamEnvoyInterceptor, stream)
	}
	if len(h.cfg.Server.RejectFor) > 0 {
		unary, stream = chainUnary(h.server.UnaryGateInterceptor, unary), chainStream(h.server.StreamGateInterceptor, stream)
	}
	first := func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if h.server.Handles(info.FullMethod) {
			h.reached(ctx)
			return h.server.UnaryHealthInterceptor(ctx, request, info, handler)
		}
		return unary(ctx, request, info, handler)
	}
	firstStream := func(service any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if h.server.Handles(info.FullMethod) {
			h.reached(ss.Context())
			return h.server.StreamHealthInterceptor(service, ss, info, handler)
		}
		return stream(service, ss, info, handler)
	}
	return first, firstStream
}

func chainUnary(outer, inner grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return outer(ctx, request, info, func(ctx context.Context, request any) (any, error) {
			return inner(ctx, request, info, handler)
		})
	}
}

func chainStream(outer, inner grpc.StreamServerInterceptor) grpc.StreamServerInterceptor {
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return outer(service, stream, info, func(service any, stream grpc.ServerStream) error {
			return inner(service, stream, info, handler)
		})
	}
}
