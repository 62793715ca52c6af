package servicer

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// UnaryHealthInterceptor is a unary server interceptor that handles Check and List of grpc.health.v1 itself, whatever
// health service is registered on the server. It is for servers on which a framework registers one, as HashiCorp's
// go-plugin does: a second registration ends the process. Use it together with StreamHealthInterceptor.
//
// Names that only the other service knows are unknown here; set those that callers need with SetServingStatus. Later
// interceptors do not see these calls; one of grpc.UnaryInterceptor runs before, wherever the option stands. A request that is
// not of grpc-go's generated type goes to the registered service. It also handles the health checks of AWS load balancers; see RegisterALB.
func (s *Server) UnaryHealthInterceptor(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	switch info.FullMethod {
	case healthpb.Health_Check_FullMethodName:
		if r, ok := request.(*healthpb.HealthCheckRequest); ok {
			return untyped(s.Check(ctx, r))
		}
	case healthpb.Health_List_FullMethodName:
		if r, ok := request.(*healthpb.HealthListRequest); ok {
			return untyped(s.List(ctx, r))
		}
	case albMethod:
		return untyped(s.albCheck(ctx))
	}
	return handler(ctx, request)
}

// StreamHealthInterceptor is a stream server interceptor that handles Watch of grpc.health.v1; see
// UnaryHealthInterceptor.
func (s *Server) StreamHealthInterceptor(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if info.FullMethod != healthpb.Health_Watch_FullMethodName {
		return handler(service, stream)
	}
	return s.watches.Handle(stream, func(stream grpc.ServerStream) error {
		request := new(healthpb.HealthCheckRequest)
		if err := stream.RecvMsg(request); err != nil {
			return err
		}
		return s.Watch(request, &grpc.GenericServerStream[healthpb.HealthCheckRequest, healthpb.HealthCheckResponse]{ServerStream: stream})
	})
}

// Handles reports whether UnaryHealthInterceptor or StreamHealthInterceptor handles a full method, such as
// /grpc.health.v1.Health/Check.
func (s *Server) Handles(fullMethod string) bool {
	return strings.HasPrefix(fullMethod, "/grpc.health.v1.Health/") || fullMethod == albMethod
}

// untyped keeps a nil response from becoming a non-nil interface.
func untyped[R any](response *R, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return response, nil
}
