package interceptor_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/interceptor"
)

const testService = "grpc.testing.TestService"

// scripted is a TestService whose answers the request orders.
type scripted struct {
	pb.UnimplementedTestServiceServer
}

func (scripted) UnaryCall(ctx context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if order := in.GetResponseStatus(); order != nil {
		return nil, status.Error(codes.Code(order.GetCode()), order.GetMessage())
	}
	switch string(in.GetPayload().GetBody()) {
	case "panic":
		panic(secret)
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "content":
		<-ctx.Done()
		time.Sleep(time.Millisecond) // Or the answer would race with the deadline, and rightly win sometimes.
	}
	return &pb.SimpleResponse{}, nil
}

func (scripted) FullDuplexCall(stream grpc.BidiStreamingServer[
	pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse],
) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if order := in.GetResponseStatus(); order != nil {
			return status.Error(codes.Code(order.GetCode()), order.GetMessage())
		}
		if string(in.GetPayload().GetBody()) == "panic" {
			panic(secret)
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

// pair is a server and a client, joined in memory, both recorded by rec.
type pair struct {
	rec    *interceptor.Recorder
	conn   *grpc.ClientConn
	client pb.TestServiceClient
	stop   func()
}

func newPair(t *testing.T, options ...grpc.ServerOption) *pair {
	t.Helper()
	rec := newRecorder(t, interceptor.Config{})
	server := grpc.NewServer(append(rec.ServerOptions(), options...)...)
	pb.RegisterTestServiceServer(server, scripted{})
	healthpb.RegisterHealthServer(server, health.NewServer())
	rec.Register(server)
	lis := bufconn.Listen(1 << 20)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(lis)
	}()
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }
	conn, err := grpc.NewClient("passthrough:bufconn", append(rec.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(dial))...)
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		_ = conn.Close()
		server.Stop()
		<-served
	}
	return &pair{rec: rec, conn: conn, client: pb.NewTestServiceClient(conn), stop: stop}
}

func order(code codes.Code) *pb.EchoStatus {
	return &pb.EchoStatus{Code: int32(code), Message: "ordered"}
}

func say(what string) *pb.Payload { return &pb.Payload{Body: []byte(what)} }

func TestServerAndClientAgreeOnUnaryCodes(t *testing.T) {
	p := newPair(t)
	defer p.stop()
	var want [interceptor.NumCodes]uint64
	for code := range codes.Code(interceptor.NumCodes) {
		in := &pb.SimpleRequest{}
		if code != codes.OK {
			in.ResponseStatus = order(code)
		}
		for range int(code) + 1 {
			if _, err := p.client.UnaryCall(t.Context(), in); status.Code(err) != code {
				t.Fatalf("got %v, ordered %v", err, code)
			}
		}
		want[code] = uint64(code) + 1
	}
	_, _ = p.client.UnaryCall(t.Context(), &pb.SimpleRequest{ResponseStatus: order(77)})
	want[codes.Unknown]++
	server, client := p.rec.Server().Total, p.rec.Client().Total
	if byCode(&server) != want || byCode(&client) != want {
		t.Errorf("server %v\nclient %v\nwant   %v", byCode(&server), byCode(&client), want)
	}
	failures := want[2] + want[4] + want[12] + want[13] + want[14] + want[15]
	if server.Failures != failures {
		t.Errorf("server failures %d, want %d", server.Failures, failures)
	}
	// A client cannot blame the other side for a method that it does not have.
	if client.Failures != failures-want[codes.Unimplemented] {
		t.Errorf("client failures %d, want %d", client.Failures, failures-want[codes.Unimplemented])
	}
	if server.MsgReceived != server.Handled || server.MsgSent != want[0] {
		t.Errorf("server messages %d in, %d out, want %d, %d", server.MsgReceived, server.MsgSent, server.Handled, want[0])
	}
	if client.MsgSent != client.Handled || client.MsgReceived != want[0] {
		t.Errorf("client messages %d out, %d in, want %d, %d", client.MsgSent, client.MsgReceived, client.Handled, want[0])
	}
}

// eventually waits until the server has settled n calls: it hears of a caller's end later than the caller.
func eventually(t *testing.T, rec *interceptor.Recorder, n uint64) *interceptor.Snapshot {
	t.Helper()
	for {
		snap := rec.Server()
		if snap.Total.Handled >= n || t.Context().Err() != nil {
			return snap
		}
		runtime.Gosched()
	}
}

func TestCanceledAndExpiredCalls(t *testing.T) {
	for _, what := range []string{"hang", "content"} {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t)
			defer p.stop()
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, _ = p.client.UnaryCall(ctx, &pb.SimpleRequest{Payload: say(what)})
			ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _ = p.client.UnaryCall(ctx, &pb.SimpleRequest{Payload: say(what)})
			time.Sleep(time.Second)
			for side, s := range map[string]*interceptor.Snapshot{"server": p.rec.Server(), "client": p.rec.Client()} {
				s := s.Total
				if s.ByCode(codes.Canceled) != 1 || s.ByCode(codes.DeadlineExceeded) != 1 || s.Failures != 1 {
					t.Errorf("%s, %s: %v, %d failures; want one Canceled, one DeadlineExceeded, which is a failure",
						what, side, byCode(&s), s.Failures)
				}
				if s.InFlight() != 0 {
					t.Errorf("%s, %s: %d in flight", what, side, s.InFlight())
				}
			}
		})
	}
}

func TestPanicTextStaysOnServer(t *testing.T) {
	p := newPair(t)
	defer p.stop()
	_, err := p.client.UnaryCall(t.Context(), &pb.SimpleRequest{Payload: say("panic")})
	stream, openErr := p.client.FullDuplexCall(t.Context())
	if openErr != nil {
		t.Fatal(openErr)
	}
	_ = stream.Send(&pb.StreamingOutputCallRequest{Payload: say("panic")})
	_, streamErr := stream.Recv()
	for _, err := range []error{err, streamErr} {
		if s := status.Convert(err); s.Code() != codes.Internal || s.Message() != "internal error" {
			t.Errorf("the caller gets %v, want Internal and the fixed text", err)
		}
	}
	s := eventually(t, p.rec, 2).Total
	if s.Panics != 2 || s.ByCode(codes.Internal) != 2 || s.InFlight() != 0 {
		t.Errorf("panics %d, Internal %d, in flight %d; want 2, 2, 0", s.Panics, s.ByCode(codes.Internal), s.InFlight())
	}
}

func TestUnknownMethodNamesOnTheWire(t *testing.T) {
	unknown := func(_ any, stream grpc.ServerStream) error { return status.Error(codes.Unimplemented, "no") }
	for name, options := range map[string][]grpc.ServerOption{
		"refused by gRPC":       nil,
		"UnknownServiceHandler": {grpc.UnknownServiceHandler(unknown)},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, options...)
			defer p.stop()
			before := len(p.rec.Server().Methods)
			names := []string{"/no.Such/Method", "/" + testService + "/NoSuch", testService + "/UnaryCall", "/a/b/c/d"}
			for _, name := range names {
				if err := p.conn.Invoke(t.Context(), name, &pb.Empty{}, &pb.Empty{}); err == nil {
					t.Errorf("%q was answered", name)
				}
			}
			s := p.rec.Server()
			if s.Total.InFlight() != 0 || s.Total.Failures != 0 || len(s.Methods)-before > 1 {
				t.Errorf("in flight %d, failures %d, %d methods more; want none, none, other at most",
					s.Total.InFlight(), s.Total.Failures, len(s.Methods)-before)
			}
			if n := method(t, s, testService, "UnaryCall").Total.Started; n != 0 {
				t.Errorf("a name without its slash reached UnaryCall %d times", n)
			}
		})
	}
}

func TestHealthCallsAreNotCounted(t *testing.T) {
	p := newPair(t)
	defer p.stop()
	for range 3 {
		if _, err := healthpb.NewHealthClient(p.conn).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if server, client := p.rec.Server(), p.rec.Client(); server.Total.Started+client.Total.Started != 0 {
		t.Errorf("counted %d on the server, %d on the client, want none", server.Total.Started, client.Total.Started)
	}
	for _, m := range p.rec.Server().Methods {
		if strings.HasPrefix(m.Service, "grpc.health") {
			t.Errorf("%s is listed", m.Service)
		}
	}
}
