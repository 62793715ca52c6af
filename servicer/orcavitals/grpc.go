package orcavitals

import (
	"context"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	orcaservice "github.com/cncf/xds/go/xds/service/orca/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ServiceName is the full name of the service that Register registers.
const ServiceName = "xds.service.orca.v3.OpenRcaService"

// Register registers the out-of-band service. It sends the newest report as soon as there is one, and then one in each
// interval that the client requests, at least Config.Interval. Call it once, before the server serves.
//
// It replaces grpc-go's orca.Register, which sends one report in 30 s at most and keeps GracefulStop waiting until clients
// close their streams.
func (r *Reporter) Register(server grpc.ServiceRegistrar) {
	orcaservice.RegisterOpenRcaServiceServer(server, &service{reporter: r})
}

// EndStreams ends the out-of-band streams and rejects new ones with UNAVAILABLE. Call it before GracefulStop. Trailers are
// still sent.
func (r *Reporter) EndStreams() { r.end.Do(func() { close(r.ended) }) }

type service struct {
	orcaservice.UnimplementedOpenRcaServiceServer

	reporter *Reporter
}

// StreamCoreMetrics sends reports until the client cancels or EndStreams.
func (s *service) StreamCoreMetrics(request *orcaservice.OrcaLoadReportRequest, stream grpc.ServerStreamingServer[orcapb.OrcaLoadReport]) error {
	r := s.reporter
	// Rejections come before any report: grpc-go's clients reconnect without backoff after one.
	stopping := status.Error(codes.Unavailable, "server is stopping")
	select {
	case <-r.ended:
		return stopping
	default:
	}
	defer r.streams.Add(-1)
	if r.streams.Add(1) > int64(r.cfg.MaxStreams) {
		return status.Errorf(codes.ResourceExhausted, "too many load report streams: limit is %d", max(r.cfg.MaxStreams, 0))
	}
	interval := max(request.GetReportInterval().AsDuration(), r.cfg.Interval)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		pause := r.cfg.Interval // until there is a report
		if current := r.current.Load(); current != nil {
			if err := stream.Send(current.message); err != nil {
				return err
			}
			pause = interval
		}
		timer.Reset(pause)
		select {
		case <-timer.C:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		case <-r.ended:
			return stopping
		}
	}
}

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
