package orcavitals

import (
	"context"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	orcaservice "github.com/cncf/xds/go/xds/service/orca/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/opencalls"
)

// ServiceName is the full name of the service that Register registers.
const ServiceName = "xds.service.orca.v3.OpenRcaService"

// Register registers the out-of-band service. It sends the newest report as soon as there is one, and then one in each
// interval that the client requests, at least Config.Interval. Call it once, before the server serves.
//
// It replaces grpc-go's orca.Register, which sends one report in 30 s at most and keeps GracefulStop waiting until clients
// close their streams. A stream ends with UNAVAILABLE after 1,000 reports; clients then open another one.
func (r *Reporter) Register(server grpc.ServiceRegistrar) {
	server.RegisterService(opencalls.Service(orcaservice.OpenRcaService_ServiceDesc, nil, r.streams), &service{reporter: r})
}

// EndStreams ends the out-of-band streams and rejects new ones with UNAVAILABLE. Call it before GracefulStop. Trailers are
// still sent.
func (r *Reporter) EndStreams() {
	r.end.Do(func() {
		r.streams.End()
		close(r.ended)
	})
}

// maxReports is how many reports a stream sends. They fit into the smallest window of a client of gRPC, 64 KiB. The status
// of a stream that a client does not read would be queued behind reports that do not, and keep GracefulStop waiting.
const maxReports = 1000

type service struct {
	orcaservice.UnimplementedOpenRcaServiceServer

	reporter *Reporter
}

// StreamCoreMetrics sends reports until the client cancels or EndStreams.
func (s *service) StreamCoreMetrics(request *orcaservice.OrcaLoadReportRequest, stream grpc.ServerStreamingServer[orcapb.OrcaLoadReport]) error {
	r := s.reporter
	// Rejections come before any report: grpc-go's clients reconnect without backoff after one.
	call, leave, err := opencalls.Enter[orcaservice.OrcaLoadReportRequest](r.streams, stream)
	if err != nil {
		return err
	}
	defer leave()
	interval := max(request.GetReportInterval().AsDuration(), r.cfg.Interval)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for sent := 0; sent < maxReports; {
		pause := r.cfg.Interval // until there is a report
		if current := r.current.Load(); current != nil {
			if err := opencalls.Send(call, stream, current.message); err != nil {
				return err
			}
			pause = interval
			sent++
		}
		timer.Reset(pause)
		select {
		case <-timer.C:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		case <-r.ended:
			return opencalls.ErrEnded()
		}
	}
	return status.Error(codes.Unavailable, "stream has sent all its reports: open another one")
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
