package endpoints

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// Silent are the streams of clients that send no request, or one that does not end, or read no response.
type Silent struct {
	opened  time.Time
	conns   []*grpc.ClientConn
	cancel  context.CancelFunc
	streams map[string]grpc.ClientStream
	lasting grpc.ClientStream // blocks nothing, and stays until the server drains
}

// SilentOptions keep the receive window small, so that it is soon full.
func SilentOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithStaticStreamWindowSize(1 << 16), grpc.WithStaticConnWindowSize(1 << 20)}
}

// OpenSilent opens one stream of each kind. Each reader that does not read has a connection of its own, from dial with
// SilentOptions. With full it also opens one whose window becomes full: that ends with its connection only, which a
// server cannot close within a process.
func OpenSilent(dial func() (*grpc.ClientConn, error), full bool) (*Silent, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Silent{opened: time.Now(), cancel: cancel, streams: map[string]grpc.ClientStream{}}
	for range 3 {
		conn, err := dial()
		if err != nil {
			s.Close()
			return nil, err
		}
		s.conns = append(s.conns, conn)
	}
	health, report := &healthpb.HealthCheckRequest{}, &vitalspb.WatchHealthReportRequest{MinIntervalSeconds: .1}
	for _, method := range []string{
		healthpb.Health_Check_FullMethodName, vitalspb.HealthReportService_GetHealthReport_FullMethodName,
		healthpb.Health_Watch_FullMethodName, vitalspb.HealthReportService_WatchHealthReport_FullMethodName,
	} {
		s.open(ctx, s.conns[0], method, nil, false)
	}
	s.open(ctx, s.conns[0], healthpb.Health_Watch_FullMethodName, health, false)
	if full {
		s.open(ctx, s.conns[1], vitalspb.HealthReportService_WatchHealthReport_FullMethodName, report, true)
	}
	s.lasting = s.open(ctx, s.conns[2], healthpb.Health_Watch_FullMethodName, health, true)
	for what, stream := range s.streams {
		if stream == nil {
			s.Close()
			return nil, fmt.Errorf("%s could not be opened", what)
		}
	}
	return s, nil
}

// open opens a stream and sends a request, if there is one, and its end; nil if that fails.
func (s *Silent) open(ctx context.Context, conn *grpc.ClientConn, method string, request any, ends bool) grpc.ClientStream {
	what := fmt.Sprintf("%s, request sent: %v, and ended: %v", method, request != nil, ends)
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method, grpc.WaitForReady(true))
	if err == nil && request != nil {
		err = stream.SendMsg(request)
	}
	if err == nil && ends {
		err = stream.CloseSend()
	}
	if err != nil {
		stream = nil
	}
	s.streams[what] = stream
	return stream
}

// Close ends all streams.
func (s *Silent) Close() {
	s.cancel()
	for _, conn := range s.conns {
		_ = conn.Close() // The streams have ended.
	}
}

// Ended returns nil if every stream of a server that has stopped has ended with UNAVAILABLE, or before with
// DEADLINE_EXCEEDED because it was blocked for 30 to 60 s. It closes the connections.
func (s *Silent) Ended() error {
	defer s.Close()
	late := time.AfterFunc(Timeout, s.cancel)
	defer late.Stop()
	var wrong []error
	for what, stream := range s.streams {
		var err error
		for err == nil {
			err = stream.RecvMsg(new(emptypb.Empty)) // Any message will do.
		}
		blocked := stream != s.lasting && time.Since(s.opened) >= 30*time.Second
		if code := status.Code(err); code != codes.Unavailable && (code != codes.DeadlineExceeded || !blocked) {
			wrong = append(wrong, fmt.Errorf("%s: ended with %w, want UNAVAILABLE", what, err))
		}
	}
	return errors.Join(wrong...)
}
