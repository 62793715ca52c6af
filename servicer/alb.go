package servicer

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// What an Application Load Balancer of AWS asks unless its target group names another path.
const (
	albService = "AWS.ALB"
	albMethod  = "/AWS.ALB/healthcheck"
)

// RegisterALB makes server answer /AWS.ALB/healthcheck, the default health check path of AWS Application Load Balancers
// for gRPC, by code: OK (0) while the overall name "" is serving, UNAVAILABLE (14) else. They judge by the code alone, so
// that Check, which says OK also of a server that is not serving, never takes a server out.
//
// Set the target group's success codes to 0. Its default, 12, takes a server for healthy whose path does not exist, and
// one that answers here for ill; that is why Register does not do this by itself. The name AWS.ALB becomes known to the
// health service like that of any other service. It must be called before the server serves, once.
func (s *Server) RegisterALB(server grpc.ServiceRegistrar) {
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: albService,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "healthcheck", Handler: albHandler}},
		Metadata:    "none: the load balancer has no proto",
	}, s.healthServer)
}

func albHandler(
	service any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor, //nolint:revive // gRPC's order.
) (any, error) {
	request := new(emptypb.Empty) // whatever is sent fits
	if err := decode(request); err != nil {
		return nil, err
	}
	answer := func(context.Context, any) (any, error) { return untyped(service.(*healthServer).albCheck()) }
	if interceptor == nil {
		return answer(ctx, request)
	}
	return interceptor(ctx, request, &grpc.UnaryServerInfo{Server: service, FullMethod: albMethod}, answer)
}

// albCheck says in a code what Check says in a message.
func (h *healthServer) albCheck() (*emptypb.Empty, error) {
	if state, known := h.board.Lookup(""); !known || state != serving {
		return nil, status.Error(codes.Unavailable, "not serving")
	}
	return new(emptypb.Empty), nil
}
