package retries

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
	"github.com/vitals-go/vitals/interceptor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flaky is a service whose handlers fail until fail returns nil.
type flaky struct {
	pb.UnimplementedTestServiceServer

	attempts atomic.Int64
	fail     func(attempt int64) error
}

// everySecond fails every second attempt, beginning with the first.
func everySecond(attempt int64) error {
	if attempt%2 == 1 {
		return status.Error(codes.Unavailable, "every second attempt fails")
	}
	return nil
}

func always(int64) error { return status.Error(codes.Unavailable, "every attempt fails") }

func (f *flaky) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) {
	return &pb.Empty{}, f.fail(f.attempts.Add(1))
}

func (f *flaky) StreamingOutputCall(
	_ *pb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[pb.StreamingOutputCallResponse],
) error {
	if err := f.fail(f.attempts.Add(1)); err != nil {
		return err
	}
	return errors.Join(stream.Send(&pb.StreamingOutputCallResponse{}), stream.Send(&pb.StreamingOutputCallResponse{}))
}

func (f *flaky) StreamingInputCall(
	stream grpc.ClientStreamingServer[pb.StreamingInputCallRequest, pb.StreamingInputCallResponse],
) error {
	if err := f.fail(f.attempts.Add(1)); err != nil {
		return err
	}
	for {
		switch _, err := stream.Recv(); {
		case errors.Is(err, io.EOF):
			return stream.SendAndClose(&pb.StreamingInputCallResponse{})
		case err != nil:
			return err
		}
	}
}

func (f *flaky) FullDuplexCall(
	stream grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse],
) error {
	if err := f.fail(f.attempts.Add(1)); err != nil {
		return err
	}
	for {
		switch _, err := stream.Recv(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

// serve serves f until the end of the test and returns its address.
func serve(t *testing.T, f *flaky, opts ...grpc.ServerOption) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(opts...)
	pb.RegisterTestServiceServer(server, f)
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
	return lis.Addr().String()
}

// client has a breaker and a recorder as its outermost interceptors, unless they are in opts.
type client struct {
	pb.TestServiceClient

	breaker  *breaker.Breaker
	guard    *grpcbreaker.Interceptor
	recorder *interceptor.Recorder
}

func newClient(t *testing.T, cfg breaker.Config) *client {
	t.Helper()
	cfg.Name = "dependency"
	b, err := breaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		t.Fatal(err)
	}
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &client{breaker: b, guard: guard, recorder: recorder}
}

func (c *client) dial(t *testing.T, addr string, opts ...grpc.DialOption) *client {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c.TestServiceClient = pb.NewTestServiceClient(conn)
	return c
}

// calls are the kinds of calls, each of which returns what its caller got.
var calls = map[string]func(ctx context.Context, client *client) error{
	"unary": func(ctx context.Context, client *client) error {
		_, err := client.EmptyCall(ctx, &pb.Empty{})
		return err
	},
	"server stream": func(ctx context.Context, client *client) error {
		stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
		if err != nil {
			return err
		}
		return readAll(stream)
	},
	"client stream": func(ctx context.Context, client *client) error {
		stream, err := client.StreamingInputCall(ctx)
		if err != nil {
			return err
		}
		for range 2 {
			if err := stream.Send(&pb.StreamingInputCallRequest{}); err != nil && err != io.EOF { //nolint:errorlint // as gRPC documents
				return err
			}
		}
		_, err = stream.CloseAndRecv()
		return err
	},
	"bidi stream": func(ctx context.Context, client *client) error {
		stream, err := client.FullDuplexCall(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallRequest{}); err != nil && err != io.EOF { //nolint:errorlint // as gRPC documents
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		return readAll(stream)
	},
}

func readAll[M any](stream grpc.ServerStreamingClient[M]) error {
	for {
		switch _, err := stream.Recv(); {
		case err == io.EOF: //nolint:errorlint // as gRPC documents
			return nil
		case err != nil:
			return err
		}
	}
}
