package servicer_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

func TestEnvoyHeader(t *testing.T) {
	ready := []servicer.ServingName{{Name: checker.Readiness, Status: serving}}
	for name, test := range map[string]struct {
		report servicer.Report
		want   string
	}{
		"healthy":                   {servicer.Report{Phase: servicer.Ready, Overall: checker.Healthy, Names: ready}, ""},
		"warning":                   {servicer.Report{Phase: servicer.Ready, Overall: checker.Warning, Names: ready}, "x-envoy-degraded"},
		"critical but serving":      {servicer.Report{Phase: servicer.Ready, Overall: checker.Critical, Names: ready}, "x-envoy-degraded"},
		"no evidence":               {servicer.Report{Phase: servicer.Ready, Names: ready}, ""},
		"critical, not serving":     {servicer.Report{Phase: servicer.Ready, Overall: checker.Critical, Names: []servicer.ServingName{{Name: checker.Readiness, Status: notServing}}}, ""},
		"readiness is not known":    {servicer.Report{Phase: servicer.Ready, Overall: checker.Critical}, ""},
		"starting":                  {servicer.Report{}, ""},
		"draining although healthy": {servicer.Report{Phase: servicer.Draining, Overall: checker.Healthy}, "x-envoy-immediate-health-check-fail"},
		"stopped":                   {servicer.Report{Phase: servicer.Stopped, Overall: checker.Warning}, "x-envoy-immediate-health-check-fail"},
	} {
		if got := test.report.EnvoyHeader(); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// slowTests answers after a second; its stream sends its headers at once.
type slowTests struct {
	testpb.UnimplementedTestServiceServer
}

func (slowTests) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	time.Sleep(time.Second)
	return new(testpb.Empty), nil
}

func (slowTests) UnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return new(testpb.SimpleResponse), grpc.SendHeader(ctx, metadata.Pairs("early", "yes"))
}

func (slowTests) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	return stream.SendHeader(metadata.Pairs("early", "yes"))
}

func TestEnvoyHeaderInResponsesDuringDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := newServer(t, servicer.Config{DrainDelay: 10 * time.Second}), overMemory(t)
		server := l.newServer(grpc.ChainUnaryInterceptor(s.UnaryEnvoyInterceptor), grpc.ChainStreamInterceptor(s.StreamEnvoyInterceptor))
		testpb.RegisterTestServiceServer(server, slowTests{})
		ended := make(chan error)
		ctx, drain := context.WithCancel(t.Context())
		go func() { ended <- s.Serve(ctx, server, l.lis) }()
		client := l.dial(t)
		defer client.Close()
		calls := testpb.NewTestServiceClient(client)
		slow := func() (header metadata.MD) {
			if _, err := calls.EmptyCall(t.Context(), new(testpb.Empty), grpc.Header(&header)); err != nil {
				t.Error(err)
			}
			return header
		}
		others := func() (unary, stream metadata.MD) {
			if _, err := calls.UnaryCall(t.Context(), new(testpb.SimpleRequest), grpc.Header(&unary)); err != nil {
				t.Error(err)
			}
			opened, err := calls.FullDuplexCall(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			stream, _ = opened.Header()
			_, _ = opened.Recv()
			return unary, stream
		}
		told := func(header metadata.MD) bool {
			return slices.Equal(header["x-envoy-immediate-health-check-fail"], []string{"true"})
		}

		unary, stream := others()
		if told(slow()) || told(unary) || told(stream) {
			t.Error("Envoy is told of a drain that is none")
		}
		begun := make(chan metadata.MD)
		go func() { begun <- slow() }()
		synctest.Wait()
		drain()
		synctest.Wait()
		if !told(<-begun) {
			t.Error("a call that began before the drain and ends in it does not tell")
		}
		unary, stream = others()
		if !told(slow()) || !told(unary) || !told(stream) {
			t.Errorf("calls in the drain do not tell: %v, %v", unary, stream)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
