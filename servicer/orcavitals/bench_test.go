package orcavitals_test

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// BenchmarkCall is a whole call over a connection in memory, both sides in one process, without and with reports.
func BenchmarkCall(b *testing.B) {
	for _, test := range []struct {
		name   string
		change func(*orcavitals.Config)
	}{
		{"none", nil},
		{"report", func(*orcavitals.Config) {}},
	} {
		b.Run(test.name, func(b *testing.B) { benchmarkCall(b, test.change) })
	}
}

func benchmarkCall(b *testing.B, change func(*orcavitals.Config)) {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		b.Fatal(err)
	}
	var options []grpc.ServerOption
	if change != nil {
		cfg := orcavitals.Config{Recorder: recorder, Interval: 100 * time.Millisecond}
		change(&cfg)
		reporter, err := orcavitals.New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		options = reporter.ServerOptions()
		ended := make(chan error)
		go func() { ended <- reporter.Run(b.Context()) }()
		b.Cleanup(func() { <-ended })
		for reporter.ServerMetrics().MemUtilization < 0 {
			time.Sleep(time.Millisecond)
		}
	}
	server := grpc.NewServer(append(options, recorder.ServerOptions()...)...)
	testpb.RegisterTestServiceServer(server, &tests{})
	client, lis := connect(b)
	defer client.Close()
	go func() { _ = server.Serve(lis) }()
	defer server.Stop()
	calls := testpb.NewTestServiceClient(client)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := calls.UnaryCall(b.Context(), &testpb.SimpleRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}

// fakeStream counts trailers.
type fakeStream struct {
	grpc.ServerStream

	trailers int
}

func (s *fakeStream) SetTrailer(metadata.MD) { s.trailers++ }

func TestAReportCostsACallNoAllocation(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		stream := new(fakeStream)
		call := func() {
			_ = r.reporter.StreamServerInterceptor(nil, stream, nil, func(any, grpc.ServerStream) error { return nil })
		}
		if n := testing.AllocsPerRun(100, call); n > 0 || stream.trailers == 0 {
			t.Errorf("%v allocations, %d trailers", n, stream.trailers)
		}
	})
}
