package orcavitals

import (
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	orcaservice "github.com/cncf/xds/go/xds/service/orca/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ServiceName is the full name of the service that Register registers.
const ServiceName = "xds.service.orca.v3.OpenRcaService"

// Register registers the out-of-band service, for clients that want reports without calls. It sends a report at once, or
// as soon as there is one, and then one in each interval that the client asks for, but not more often than
// Config.Interval.
//
// It stands in for grpc-go's orca.Register, which sends no more than a report in 30 s, and whose streams nobody can end:
// grpc.Server.GracefulStop waits for them for as long as their clients please. Call it before the server serves, once.
func (r *Reporter) Register(server grpc.ServiceRegistrar) {
	orcaservice.RegisterOpenRcaServiceServer(server, &service{reporter: r})
}

// EndStreams ends the out-of-band streams with UNAVAILABLE and refuses new ones, for ever. Call it before
// GracefulStop. Trailers go on.
func (r *Reporter) EndStreams() { r.end.Do(func() { close(r.ended) }) }

type service struct {
	orcaservice.UnimplementedOpenRcaServiceServer

	reporter *Reporter
}

// StreamCoreMetrics sends reports until the client goes, or EndStreams.
func (s *service) StreamCoreMetrics(request *orcaservice.OrcaLoadReportRequest, stream grpc.ServerStreamingServer[orcapb.OrcaLoadReport]) error {
	r := s.reporter
	if err := r.enter(); err != nil {
		return err
	}
	defer r.streams.Add(-1)
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
			return errEnding()
		}
	}
}

// enter counts one more stream, or refuses it. It sends nothing then: grpc-go's clients come back without a pause when
// they have received a report.
func (r *Reporter) enter() error {
	select {
	case <-r.ended:
		return errEnding()
	default:
	}
	if r.streams.Add(1) > int64(r.cfg.MaxStreams) {
		r.streams.Add(-1)
		return status.Errorf(codes.ResourceExhausted, "too many load report streams: this server allows %d", max(r.cfg.MaxStreams, 0))
	}
	return nil
}

func errEnding() error { return status.Error(codes.Unavailable, "the server is ending") }
