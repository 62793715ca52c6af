package grpcbreaker

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/internal/rejection"
)

// ServerOptions returns interceptors for servers whose handlers return rejections: they add the trailer
// grpc-retry-pushback-ms: -1 to these, so that gRPC's own retries in the client end. Servers with the interceptors of an
// interceptor.Recorder, such as those of vitals.Health.ServerOptions, do so already.
func ServerOptions() []grpc.ServerOption {
	pushBack := func(ctx context.Context, err error) error {
		if err != nil && rejection.Is(err) {
			_ = grpc.SetTrailer(ctx, metadata.Pairs(rejection.Trailer, rejection.Pushback)) // fails if the call has ended
		}
		return err
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			resp, err := handler(ctx, req)
			return resp, pushBack(ctx, err)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			return pushBack(stream.Context(), handler(srv, stream))
		}),
	}
}
