package servicer

import (
	"context"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// UnaryHealthInterceptor is a unary server interceptor that answers Check and List of grpc.health.v1 itself, whatever health
// service the server has registered. It is the way in where somebody else has registered one, as HashiCorp's go-plugin
// does: registering a second one ends the process. Use it together with StreamHealthInterceptor.
//
// Names that only the registered service knows are unknown here, so give SetServingStatus those that callers need;
// go-plugin's hosts ask for "plugin". Interceptors that come later in the chain do not see these calls. A request of
// another type than grpc-go's generated one goes to the registered service. It answers AWS load balancers as well, where
// RegisterALB has been called.
func (h *healthServer) UnaryHealthInterceptor(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	switch info.FullMethod {
	case healthpb.Health_Check_FullMethodName:
		if r, ok := request.(*healthpb.HealthCheckRequest); ok {
			return untyped(h.Check(ctx, r))
		}
	case healthpb.Health_List_FullMethodName:
		if r, ok := request.(*healthpb.HealthListRequest); ok {
			return untyped(h.List(ctx, r))
		}
	case albMethod:
		return untyped(h.albCheck())
	}
	return handler(ctx, request)
}

// StreamHealthInterceptor is a stream server interceptor that answers Watch of grpc.health.v1 itself; see UnaryHealthInterceptor.
func (h *healthServer) StreamHealthInterceptor(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if info.FullMethod != healthpb.Health_Watch_FullMethodName {
		return handler(service, stream)
	}
	request := new(healthpb.HealthCheckRequest)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	return h.Watch(request, &grpc.GenericServerStream[healthpb.HealthCheckRequest, healthpb.HealthCheckResponse]{ServerStream: stream})
}

// untyped keeps a nil response from becoming a non-nil interface.
func untyped[R any](response *R, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return response, nil
}
