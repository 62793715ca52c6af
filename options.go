package vitals

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

// handshakeTimeout bounds the handshake of a connection: without it a silent peer delays GracefulStop by two minutes.
const handshakeTimeout = 10 * time.Second

// ServerOptions returns the options for grpc.NewServer: one interceptor for unary calls, one for streams, and a handshake
// timeout of 10 s. The interceptors handle health requests first, so that later ones, for instance for credentials, do not
// reject them. For all other calls they add the headers and trailers of Config.Envoy and Config.LoadReports, record the
// call, and turn a panic into codes.Internal, with the stack in the log only. Place them before other interceptors.
func (h *Health) ServerOptions() []grpc.ServerOption {
	unary, stream := h.recorder.ServerInterceptors()
	if h.load != nil {
		unary, stream = chainUnary(h.load.UnaryServerInterceptor, unary), chainStream(h.load.StreamServerInterceptor, stream)
	}
	if h.cfg.Envoy {
		unary, stream = chainUnary(h.server.UnaryEnvoyInterceptor, unary), chainStream(h.server.StreamEnvoyInterceptor, stream)
	}
	return []grpc.ServerOption{
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if h.server.Handles(info.FullMethod) {
				return h.server.UnaryHealthInterceptor(ctx, request, info, handler)
			}
			return unary(ctx, request, info, handler)
		}),
		grpc.ChainStreamInterceptor(func(service any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if h.server.Handles(info.FullMethod) {
				return h.server.StreamHealthInterceptor(service, ss, info, handler)
			}
			return stream(service, ss, info, handler)
		}),
	}
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
