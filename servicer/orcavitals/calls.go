package orcavitals

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/orca"
	"google.golang.org/grpc/status"
)

// ServerOptions returns the options that make a server report in the trailers of its calls. They belong before all other
// interceptors, or next to those of an interceptor.Recorder. Do not use them together with orca.CallMetricsServerOption:
// clients ignore a call with two reports. Config.CallMetrics is that option.
func (r *Reporter) ServerOptions() []grpc.ServerOption {
	if r.cfg.CallMetrics {
		return []grpc.ServerOption{
			orca.CallMetricsServerOption(r),
			grpc.ChainUnaryInterceptor(r.unary),
			grpc.ChainStreamInterceptor(r.stream),
		}
	}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(r.UnaryServerInterceptor), grpc.ChainStreamInterceptor(r.StreamServerInterceptor)}
}

// UnaryServerInterceptor is a grpc.UnaryServerInterceptor that sets the newest report as trailer, for those who make a chain of
// their own. It does not look at Config.CallMetrics.
func (r *Reporter) UnaryServerInterceptor(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	response, err := handler(ctx, request)
	if current := r.current.Load(); current != nil && !denied(err) {
		_ = grpc.SetTrailer(ctx, current.trailer) // fails only where there is no call
	}
	return response, err
}

// StreamServerInterceptor is UnaryServerInterceptor for streams, which report when they end.
func (r *Reporter) StreamServerInterceptor(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	err := handler(service, stream)
	if current := r.current.Load(); current != nil && !denied(err) {
		stream.SetTrailer(current.trailer)
	}
	return err
}

// denied reports whether the caller is one who may not know.
func denied(err error) bool {
	if err == nil {
		return false
	}
	code := status.Code(err)
	return code == codes.Unauthenticated || code == codes.PermissionDenied
}

// unary makes grpc-go report also when the handler has nothing to add: it does so only for calls whose recorder
// somebody has asked for.
func (r *Reporter) unary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	response, err := handler(ctx, request)
	r.begin(ctx, err)
	return response, err
}

func (r *Reporter) stream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	err := handler(service, stream)
	r.begin(stream.Context(), err)
	return err
}

func (r *Reporter) begin(ctx context.Context, err error) {
	if r.current.Load() != nil && !denied(err) {
		orca.CallMetricsRecorderFromContext(ctx)
	}
}
