package orcavitals_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	orcaservice "github.com/cncf/xds/go/xds/service/orca/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/orca"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/vitals-go/vitals/servicer/orcavitals"
)

type reports = grpc.ServerStreamingClient[orcapb.OrcaLoadReport]

func (r *rig) open(ctx context.Context, request *orcaservice.OrcaLoadReportRequest) reports {
	r.t.Helper()
	stream, err := orcaservice.NewOpenRcaServiceClient(r.client).StreamCoreMetrics(ctx, request)
	if err != nil {
		r.t.Fatal(err)
	}
	return stream
}

func (r *rig) every(d time.Duration) *orcaservice.OrcaLoadReportRequest {
	return &orcaservice.OrcaLoadReportRequest{ReportInterval: durationpb.New(d)}
}

func wantEnd(t *testing.T, stream reports, code codes.Code) {
	t.Helper()
	for {
		if _, err := stream.Recv(); err != nil {
			if status.Code(err) != code {
				t.Errorf("the stream ended with %v, want %v", err, code)
			}
			return
		}
	}
}

func TestStreamSendsReportsAtTheRequestedInterval(t *testing.T) {
	for _, test := range []struct {
		name    string
		request *orcaservice.OrcaLoadReportRequest
		want    time.Duration
	}{
		{"no interval", &orcaservice.OrcaLoadReportRequest{}, time.Second},
		{"more often than there is news", new(rig).every(time.Millisecond), time.Second},
		{"nonsense", new(rig).every(-time.Hour), time.Second},
		{"ten seconds, as weighted_round_robin", new(rig).every(10 * time.Second), 10 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				time.Sleep(5 * time.Second)
				began := time.Now()
				stream := r.open(t.Context(), test.request)
				for n := range 4 {
					report, err := stream.Recv()
					if err != nil {
						t.Fatal(err)
					}
					want(t, report, &orcapb.OrcaLoadReport{MemUtilization: 0.25})
					if at := time.Since(began); at != time.Duration(n)*test.want {
						t.Errorf("report %d came after %v", n, at)
					}
				}
			})
		})
	}
}

func TestStreamWaitsForTheFirstReport(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		began := time.Now()
		stream := r.open(t.Context(), r.every(time.Hour))
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited < 900*time.Millisecond || waited > 2*time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestEndStreamsLetsGracefulStopReturn(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		stream := r.open(t.Context(), r.every(time.Hour))
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		r.reporter.EndStreams()
		r.reporter.EndStreams() // again does nothing
		began := time.Now()
		r.server.GracefulStop()
		if waited := time.Since(began); waited != 0 {
			t.Errorf("GracefulStop took %v", waited)
		}
		wantEnd(t, stream, codes.Unavailable)
	})
}

func TestNewStreamsFailAfterEndStreams(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		r.reporter.EndStreams()
		if report, err := r.open(t.Context(), r.every(0)).Recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("got %v, %v", report, err)
		}
		if r.call(codes.OK) == nil {
			t.Error("got no trailer after EndStreams")
		}
	})
}

func TestStreamsEndWithRun(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		stream := r.open(t.Context(), r.every(0))
		time.Sleep(5 * time.Second)
		r.end()
		wantEnd(t, stream, codes.Unavailable)
	})
}

func TestStreamWithoutRequestCountsAndEnds(t *testing.T) {
	bubble(t, func(cfg *orcavitals.Config) { cfg.MaxStreams = 1 }, func(t *testing.T, r *rig) {
		silent, err := r.client.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, orcaservice.OpenRcaService_StreamCoreMetrics_FullMethodName)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantEnd(t, r.open(t.Context(), r.every(0)), codes.ResourceExhausted)
		r.reporter.EndStreams()
		began := time.Now()
		r.server.GracefulStop()
		if waited := time.Since(began); waited != 0 {
			t.Errorf("GracefulStop took %v", waited)
		}
		if err := silent.RecvMsg(new(orcapb.OrcaLoadReport)); status.Code(err) != codes.Unavailable {
			t.Errorf("the stream ended with %v, want UNAVAILABLE", err)
		}
	})
}

// Reports that are not read must not reach the limit of HTTP/2's flow control: the end of the stream would not arrive.
func TestUnreadStreamEnds(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		stream := r.open(t.Context(), r.every(0))
		time.Sleep(3 * time.Hour)
		r.reporter.EndStreams()
		began := time.Now()
		r.server.GracefulStop()
		if waited := time.Since(began); waited != 0 {
			t.Errorf("GracefulStop took %v", waited)
		}
		wantEnd(t, stream, codes.Unavailable)
	})
}

func TestMaxStreams(t *testing.T) {
	bubble(t, func(cfg *orcavitals.Config) { cfg.MaxStreams = 2 }, func(t *testing.T, r *rig) {
		ctx, leave := context.WithCancel(t.Context())
		r.open(ctx, r.every(0))
		r.open(ctx, r.every(0))
		synctest.Wait()
		wantEnd(t, r.open(t.Context(), r.every(0)), codes.ResourceExhausted)
		leave()
		synctest.Wait()
		time.Sleep(2 * time.Second)
		if _, err := r.open(t.Context(), r.every(0)).Recv(); err != nil {
			t.Errorf("got %v with a free stream", err)
		}
	})
	bubble(t, func(cfg *orcavitals.Config) { cfg.MaxStreams = -1 }, func(t *testing.T, r *rig) {
		wantEnd(t, r.open(t.Context(), r.every(0)), codes.ResourceExhausted)
	})
}

// Register documents this about grpc-go's own service.
func TestStreamsOfGRPCKeepGracefulStopWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil)
		defer r.stop()
		their := grpc.NewServer()
		if err := orca.Register(their, orca.ServiceOptions{ServerMetricsProvider: r.reporter, MinReportingInterval: time.Second}); err != nil {
			t.Fatal(err)
		}
		client, lis := connect(t)
		defer client.Close()
		var serving sync.WaitGroup
		defer serving.Wait()
		serving.Go(func() { _ = their.Serve(lis) })
		stream, err := orcaservice.NewOpenRcaServiceClient(client).StreamCoreMetrics(t.Context(), r.every(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 2 {
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		if pause := time.Since(began); pause != 30*time.Second {
			t.Errorf("second report of grpc-go after %v", pause)
		}
		stopped := make(chan struct{})
		go func() { their.GracefulStop(); close(stopped) }()
		time.Sleep(time.Hour)
		select {
		case <-stopped:
			t.Error("GracefulStop of grpc-go returned")
		default:
		}
		their.Stop()
		<-stopped
	})
}
