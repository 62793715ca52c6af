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

// What a client of WatchHealthReport may choose as the least time between two messages.
const (
	defaultReportInterval = time.Second
	minReportInterval     = 100 * time.Millisecond
	maxReportInterval     = time.Minute
)

// reportServer is vitals.v1.HealthReportService over a Server's editions.
type reportServer struct {
	vitalspb.UnimplementedHealthReportServiceServer

	servicer *Server
}

// GetHealthReport answers from memory.
func (r *reportServer) GetHealthReport(
	ctx context.Context, request *vitalspb.HealthReportRequest,
) (*vitalspb.HealthReportResponse, error) {
	return r.answer(r.servicer.Report(), r.allowed(ctx), request.GetIncludeMethods())
}

// WatchHealthReport sends the newest edition at once and then each newer one, no more often than the client wants.
func (r *reportServer) WatchHealthReport(
	request *vitalspb.WatchHealthReportRequest, stream grpc.ServerStreamingServer[vitalspb.HealthReportResponse],
) error {
	defer r.servicer.streams.Add(-1)
	if limit := r.servicer.cfg.ReportStreams; r.servicer.streams.Add(1) > int64(limit) {
		return status.Errorf(codes.ResourceExhausted, "too many report streams: this server allows %d", limit)
	}
	r.servicer.followers.Add(1)
	defer r.servicer.followers.Add(-1)
	r.servicer.Report() // for what was said before anybody followed
	ctx := stream.Context()
	details, least := r.allowed(ctx), interval(request)
	for {
		report, next := r.servicer.reports.Next()
		response, err := r.answer(report, details, request.GetIncludeMethods())
		if err != nil {
			return err
		}
		if err := stream.Send(response); err != nil {
			return err
		}
		if err := r.pause(ctx, least, next); err != nil {
			return err
		}
		// What allowed it may have been withdrawn; who was refused once has to ask again.
		details = details && r.allowed(ctx)
	}
}

// pause returns when at least d has passed and next is closed, or why the stream ends before.
func (r *reportServer) pause(ctx context.Context, d time.Duration, next <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for elapsed := timer.C; elapsed != nil || next != nil; {
		select {
		case <-elapsed:
			elapsed = nil
		case <-next:
			next = nil
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-r.servicer.board.Ended():
			return status.Error(codes.Unavailable, "server is shutting down")
		}
	}
	return nil
}

// answer builds the response for one call: the shared messages of the edition under the time of this call.
func (r *reportServer) answer(report *Report, details, methods bool) (response *vitalspb.HealthReportResponse, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.servicer.log.Log(slog.LevelError, "the report could not be built",
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
	details := r.servicer.cfg.Details
	return details.Enabled() && details.Allow(ctx, callerOf(ctx))
}

// interval is the client's choice within bounds. What is no number is none.
func interval(request *vitalspb.WatchHealthReportRequest) time.Duration {
	seconds := request.GetMinIntervalSeconds()
	if seconds <= 0 || math.IsNaN(seconds) {
		return defaultReportInterval
	}
	seconds = min(max(seconds, minReportInterval.Seconds()), maxReportInterval.Seconds())
	return time.Duration(seconds * float64(time.Second))
}
