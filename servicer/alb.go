package servicer

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/vitals-go/vitals/internal/opencalls"
)

// The default health check path of an AWS Application Load Balancer for gRPC.
const (
	albService = "AWS.ALB"
	albMethod  = "/AWS.ALB/healthcheck"
)

// RegisterALB registers /AWS.ALB/healthcheck, the default health check path of AWS Application Load Balancers for gRPC. It
// returns OK (0) while the overall name "" is SERVING, otherwise UNAVAILABLE (14). These load balancers evaluate the code
// alone, and Check returns OK also for a name that is NOT_SERVING.
//
// Set the target group's success codes to 0. The default, 12, means that the path does not exist, so Register does not call
// RegisterALB. The name AWS.ALB becomes known to the health service like every service. Call it once, before the server
// serves.
func (s *Server) RegisterALB(server grpc.ServiceRegistrar) {
	server.RegisterService(opencalls.Service(grpc.ServiceDesc{
		ServiceName: albService,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "healthcheck", Handler: albHandler}},
		Metadata:    "none: the load balancer has no proto",
	}, s.requests, nil), s)
}

func albHandler(
	service any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor, //nolint:revive // gRPC's order.
) (any, error) {
	request := new(emptypb.Empty) // any message decodes
	if err := decode(request); err != nil {
		return nil, err
	}
	answer := func(ctx context.Context, _ any) (any, error) { return untyped(service.(*Server).albCheck(ctx)) }
	if interceptor == nil {
		return answer(ctx, request)
	}
	return interceptor(ctx, request, &grpc.UnaryServerInfo{Server: service, FullMethod: albMethod}, answer)
}

// albCheck returns the status of "" as a code.
func (s *Server) albCheck(ctx context.Context) (*emptypb.Empty, error) {
	state, known := s.statuses.Lookup("")
	s.probedByCall(ctx, protocolGRPC, albService, state, true)
	if !known || state != serving {
		return nil, status.Error(codes.Unavailable, "not serving")
	}
	return new(emptypb.Empty), nil
}
