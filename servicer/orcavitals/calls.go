package orcavitals

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ServerOptions returns interceptors that set the newest report as trailer of each call. Chain them before all others.
//
// Handlers that add the cost of a call need orca.CallMetricsServerOption(r) instead; grpc-go then reports only for calls
// that use the orca.CallMetricsRecorder. Never use both: clients ignore two reports of one call.
func (r *Reporter) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(r.UnaryServerInterceptor), grpc.ChainStreamInterceptor(r.StreamServerInterceptor)}
}

// UnaryServerInterceptor is the interceptor of ServerOptions for unary calls.
func (r *Reporter) UnaryServerInterceptor(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	response, err := handler(ctx, request)
	if current := r.current.Load(); current != nil && !denied(err) {
		_ = grpc.SetTrailer(ctx, current.trailer) // fails only outside a call
	}
	return response, err
}

// StreamServerInterceptor is the interceptor of ServerOptions for streams, with the report of their end.
func (r *Reporter) StreamServerInterceptor(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	err := handler(service, stream)
	if current := r.current.Load(); current != nil && !denied(err) {
		stream.SetTrailer(current.trailer)
	}
	return err
}

// denied reports whether the caller is not authorized, and so gets no report.
func denied(err error) bool {
	code := status.Code(err)
	return code == codes.Unauthenticated || code == codes.PermissionDenied
}
