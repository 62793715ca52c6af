package servicer

import (
	"context"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// The shortest time between two messages of WatchHealthReport that a client may choose.
const (
	defaultReportInterval = time.Second
	minReportInterval     = 100 * time.Millisecond
	maxReportInterval     = time.Minute
)

// reportServer is vitals.v1.HealthReportService over the reports of a Server.
type reportServer struct {
	vitalspb.UnimplementedHealthReportServiceServer

	server *Server
}

// GetHealthReport returns the newest report from memory.
func (r *reportServer) GetHealthReport(
	ctx context.Context, request *vitalspb.HealthReportRequest,
) (*vitalspb.HealthReportResponse, error) {
	return r.response(r.server.Report(), r.allowed(ctx), request.GetIncludeMethods())
}

// WatchHealthReport sends the newest report at once and then each newer one, no more often than the client requests.
func (r *reportServer) WatchHealthReport(
	request *vitalspb.WatchHealthReportRequest, stream grpc.ServerStreamingServer[vitalspb.HealthReportResponse],
) error {
	defer r.server.streams.Add(-1)
	if limit := r.server.cfg.MaxReportStreams; r.server.streams.Add(1) > int64(limit) {
		return status.Errorf(codes.ResourceExhausted, "too many report streams: this server allows %d", limit)
	}
	ctx := stream.Context()
	details, shortest := r.allowed(ctx), interval(request)
	var sent *Report
	for {
		changed := r.server.Changed()
		pause := time.Duration(0)
		if report := r.server.Report(); report != sent {
			response, err := r.response(report, details, request.GetIncludeMethods())
			if err != nil {
				return err
			}
			if err := stream.Send(response); err != nil {
				return err
			}
			sent, pause = report, shortest
		}
		if err := r.pause(ctx, pause, changed); err != nil {
			return err
		}
		// A permission may be withdrawn during the stream, but is not granted during it.
		details = details && r.allowed(ctx)
	}
}

// pause returns nil when d has passed and changed is closed, or the error that ends the stream before.
func (r *reportServer) pause(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for elapsed := timer.C; elapsed != nil || changed != nil; {
		select {
		case <-elapsed:
			elapsed = nil
		case <-changed:
			changed = nil
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-r.server.statuses.Ended():
			return errDraining()
		}
	}
	return nil
}

// response builds the response for one call: the shared messages of the report with the time of this call.
func (r *reportServer) response(report *Report, details, methods bool) (response *vitalspb.HealthReportResponse, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.server.log.Log(slog.LevelError, "health report failed: panic while building the response",
				slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
			response, err = nil, status.Error(codes.Internal, "the health report could not be built")
		}
	}()
	shared := report.messages.public
	if details {
		shared = report.messages.full
	}
	m, now := shared(), time.Now()
	response = &vitalspb.HealthReportResponse{
		OverallStatus: m.OverallStatus,
		UptimeSeconds: now.Sub(report.Started).Seconds(),
		Timestamp:     timestamp(now),
		Version:       m.Version,
		Metrics:       m.Metrics,
		Phase:         m.Phase,
		Revision:      m.Revision,
		EvaluatedAt:   m.EvaluatedAt,
		Names:         m.Names,
		Transitions:   m.Transitions,
		Maintenance:   m.Maintenance,
	}
	if methods {
		response.Methods = report.messages.methods()
	}
	return response, nil
}

// allowed reports whether the caller may see raw causes.
func (r *reportServer) allowed(ctx context.Context) bool {
	details := r.server.cfg.Details
	return details.Enabled() && details.Allow(ctx, callerOf(ctx))
}

// interval returns the client's choice within bounds; NaN counts as none.
func interval(request *vitalspb.WatchHealthReportRequest) time.Duration {
	seconds := request.GetMinIntervalSeconds()
	if seconds <= 0 || math.IsNaN(seconds) {
		return defaultReportInterval
	}
	seconds = min(max(seconds, minReportInterval.Seconds()), maxReportInterval.Seconds())
	return time.Duration(seconds * float64(time.Second))
}
