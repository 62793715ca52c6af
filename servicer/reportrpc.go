package servicer

import (
	"context"
	"crypto/rand"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/internal/opencalls"
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
	call, leave, err := opencalls.Enter[vitalspb.WatchHealthReportRequest](r.server.streams, stream)
	if err != nil {
		return err
	}
	defer leave()
	ctx := stream.Context()
	details, shortest := r.allowed(ctx), interval(request)
	var sent *Report
	var newest *vitalspb.HealthReportResponse
	var bytes int // sent so far
	for {
		changed := r.server.Changed()
		pause := time.Duration(0)
		if report := r.server.Report(); report != sent {
			response, err := r.response(report, details, request.GetIncludeMethods())
			if err != nil {
				return err
			}
			if err := opencalls.Send(call, stream, response); err != nil {
				return err
			}
			sent, newest, pause = report, response, shortest
			bytes += proto.Size(response)
		}
		if ended, err := r.pause(ctx, pause, changed); err != nil {
			return err
		} else if ended {
			return endReports(call, stream, newest, bytes)
		}
		// A permission may be withdrawn during the stream, but is not granted during it.
		details = details && r.allowed(ctx)
	}
}

// endReports returns the error that ends a stream. grpc-go would queue it behind reports that the client does not read, and
// buffers 64 KiB of them beyond the client's window before Send blocks. So where there may be such reports, the newest is
// sent once more with a field that fills both, and then without: if that Send blocks, opencalls ends the stream. It does
// not only where the client's window has just 192 to 256 KiB left.
func endReports(
	call *opencalls.Call, stream grpc.ServerStreamingServer[vitalspb.HealthReportResponse], newest *vitalspb.HealthReportResponse, sent int,
) error {
	const (
		window = 64<<10 - 1 // the smallest of gRPC's clients
		field  = 256 << 10
	)
	if sent <= window {
		return opencalls.ErrEnded()
	}
	filling := make([]byte, field)
	_, _ = rand.Read(filling) // so that compression does not make it smaller
	filling = protowire.AppendBytes(protowire.AppendTag(nil, protowire.MaxValidNumber, protowire.BytesType), filling)
	for _, unknown := range [][]byte{filling, nil} {
		newest.ProtoReflect().SetUnknown(unknown)
		if err := opencalls.Send(call, stream, newest); err != nil {
			return err
		}
	}
	return opencalls.ErrEnded()
}

// pause returns when d has passed and changed is closed, or ended when streams have to end, or the error of ctx.
func (r *reportServer) pause(ctx context.Context, d time.Duration, changed <-chan struct{}) (ended bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for elapsed := timer.C; elapsed != nil || changed != nil; {
		select {
		case <-elapsed:
			elapsed = nil
		case <-changed:
			changed = nil
		case <-ctx.Done():
			return false, status.FromContextError(ctx.Err()).Err()
		case <-r.server.statuses.Ended():
			return true, nil
		}
	}
	return false, nil
}

// response builds the response for one call: the shared messages of the report with the time of this call.
func (r *reportServer) response(report *Report, details, methods bool) (response *vitalspb.HealthReportResponse, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.server.log.Log(slog.LevelError, "health report failed: panic while building the response",
				slog.String("panic", errtext.Panic(cause)), slog.String("stack", string(debug.Stack())))
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
		Standby:       m.Standby,
		Shadow:        m.Shadow,
		Probers:       m.Probers,
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
