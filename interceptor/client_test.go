package interceptor_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

type duplex = grpc.BidiStreamingClient[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]

// pingPong exchanges n messages.
func pingPong(t *testing.T, stream duplex, n int) {
	t.Helper()
	for range n {
		if err := stream.Send(&pb.StreamingOutputCallRequest{}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClientStreamEndsOnce(t *testing.T) {
	tests := []struct {
		name string
		end  func(p *pair, stream duplex, cancel context.CancelFunc)
		code codes.Code
	}{
		{"by its last message", func(_ *pair, stream duplex, cancel context.CancelFunc) {
			_ = stream.CloseSend()
			for range 3 { // Reading on after the end must not count again.
				_, _ = stream.Recv()
			}
			cancel()
		}, codes.OK},
		{"by an error", func(_ *pair, stream duplex, cancel context.CancelFunc) {
			_ = stream.Send(&pb.StreamingOutputCallRequest{ResponseStatus: order(codes.DataLoss)})
			for range 3 {
				_, _ = stream.Recv()
			}
			cancel()
		}, codes.DataLoss},
		{"by a cancel that nobody reads", func(_ *pair, _ duplex, cancel context.CancelFunc) { cancel() }, codes.Canceled},
		{"by a cancel that is read", func(_ *pair, stream duplex, cancel context.CancelFunc) {
			cancel()
			_, _ = stream.Recv()
			_, _ = stream.Recv()
		}, codes.Canceled},
		{"by a closed connection", func(p *pair, _ duplex, _ context.CancelFunc) { _ = p.conn.Close() }, codes.Canceled},
		{"by its deadline", func(*pair, duplex, context.CancelFunc) { time.Sleep(time.Hour) }, codes.DeadlineExceeded},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t)
			defer p.stop()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			stream, err := p.client.FullDuplexCall(ctx)
			if err != nil {
				t.Fatal(err)
			}
			pingPong(t, stream, 5)
			if s := p.rec.Client().Total; s.InFlight() != 1 || s.MsgSent < 5 || s.MsgReceived != 5 {
				t.Errorf("%s: in flight %d, sent %d, received %d before the end", test.name, s.InFlight(), s.MsgSent, s.MsgReceived)
			}
			if s := p.rec.Server().Total; s.InFlight() != 1 || s.MsgSent != 5 || s.MsgReceived != 5 {
				t.Errorf("%s: server in flight %d, sent %d, received %d", test.name, s.InFlight(), s.MsgSent, s.MsgReceived)
			}
			test.end(p, stream, cancel)
			synctest.Wait()
			s := p.rec.Client().Total
			if s.Handled != 1 || s.ByCode(test.code) != 1 || s.InFlight() != 0 {
				t.Errorf("%s: handled %d, in flight %d, %v; want one %v", test.name, s.Handled, s.InFlight(), byCode(&s), test.code)
			}
			if s := p.rec.Server().Total; s.InFlight() != 0 || s.Handled != 1 {
				t.Errorf("%s: the server has %d in flight, %d handled", test.name, s.InFlight(), s.Handled)
			}
		})
	}
}

func TestClientStreamThatNeverOpens(t *testing.T) {
	p := newPair(t)
	p.stop()
	if _, err := p.client.FullDuplexCall(t.Context()); err == nil {
		t.Fatal("a closed connection opened a stream")
	}
	if s := p.rec.Client().Total; s.Handled != 1 || s.InFlight() != 0 {
		t.Errorf("handled %d, in flight %d, want 1 and 0", s.Handled, s.InFlight())
	}
}

func TestClientStreamRejectedByInnerInterceptor(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	refuse := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, status.Error(codes.Unavailable, "breaker open")
	}
	if _, err := rec.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, "/a.B/C", refuse); status.Code(err) != codes.Unavailable {
		t.Errorf("got %v, want the refusal", err)
	}
	explode := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		panic(secret)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = rec.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, "/a.B/C", explode)
	}()
	s := rec.Client().Total
	if s.Handled != 2 || s.InFlight() != 0 || s.ByCode(codes.Unavailable) != 1 || s.Panics != 1 {
		t.Errorf("handled %d, in flight %d, %v, panics %d", s.Handled, s.InFlight(), byCode(&s), s.Panics)
	}
}

func TestPanicAfterAFailedAttemptIsCountedOnce(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	explode := func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		for _, option := range opts {
			if finish, ok := option.(grpc.OnFinishCallOption); ok {
				finish.OnFinish(status.Error(codes.Unavailable, "")) // an interceptor would open again
			}
		}
		panic(secret)
	}
	func() {
		defer func() {
			if p := recover(); p != secret {
				t.Errorf("recovered %v, want the value of the panic", p)
			}
		}()
		_, _ = rec.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, "/a.B/C", explode)
	}()
	if s := rec.Client().Total; s.Handled != 1 || s.InFlight() != 0 || s.ByCode(codes.Internal) != 1 || s.Panics != 1 {
		t.Errorf("handled %d, in flight %d, %v, panics %d; want one panic", s.Handled, s.InFlight(), byCode(&s), s.Panics)
	}
}

func TestEndOfAClientStreamAfterAPanicIsNotCounted(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	var finish func(error)
	explode := func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		for _, option := range opts {
			if f, ok := option.(grpc.OnFinishCallOption); ok {
				finish = f.OnFinish
			}
		}
		panic(secret)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = rec.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, "/a.B/C", explode)
	}()
	finish(status.Error(codes.Canceled, "")) // by the stream that was open inside, when its context ends
	if s := rec.Client().Total; s.Handled != 1 || s.InFlight() != 0 || s.Panics != 1 {
		t.Errorf("handled %d, in flight %d, %v, panics %d; want the panic only", s.Handled, s.InFlight(), byCode(&s), s.Panics)
	}
}

func TestClientOptionsAreNotOverwritten(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	mine := make([]grpc.CallOption, 1, 4)
	mine[0] = grpc.WaitForReady(true)
	streamer := func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		if len(opts) != 2 {
			t.Errorf("%d options, want the caller's and ours", len(opts))
		}
		return nil, io.ErrUnexpectedEOF
	}
	_, _ = rec.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{}, nil, "/a.B/C", streamer, mine...)
	if got := mine[:2]; got[1] != nil {
		t.Error("the caller's slice was written to")
	}
}

func TestPanicOfClientInvokerIsCounted(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	func() {
		defer func() {
			if recover() != secret {
				t.Error("the panic did not pass through")
			}
		}()
		_ = rec.UnaryClientInterceptor(t.Context(), "/a.B/C", nil, nil, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { panic(secret) })
	}()
	if s := rec.Client().Total; s.Handled != 1 || s.InFlight() != 0 {
		t.Errorf("handled %d, in flight %d, want 1 and 0", s.Handled, s.InFlight())
	}
}

// What the caller got is the truth on the client's side, whatever became of its context afterwards.
func TestClientRecordsReceivedCode(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, answer := range []error{nil, status.Error(codes.NotFound, "x"), context.Canceled, errors.New("x")} {
		_ = rec.UnaryClientInterceptor(ctx, "/a.B/C", nil, nil, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
				cancel()
				return answer
			})
	}
	s := rec.Client().Total
	for _, code := range []codes.Code{codes.OK, codes.NotFound, codes.Canceled, codes.Unknown} {
		if s.ByCode(code) != 1 {
			t.Errorf("%v counted %d times, want once", code, s.ByCode(code))
		}
	}
}

// brokenStream fails to send and receive.
type brokenStream struct {
	grpc.ClientStream
	ctx context.Context
}

func (s brokenStream) Context() context.Context     { return s.ctx }
func (s brokenStream) SetHeader(metadata.MD) error  { return nil }
func (s brokenStream) SendHeader(metadata.MD) error { return nil }
func (s brokenStream) SetTrailer(metadata.MD)       {}
func (s brokenStream) SendMsg(any) error            { return io.EOF }
func (s brokenStream) RecvMsg(any) error            { return io.EOF }

func TestMessagesThatFailAreNotCounted(t *testing.T) {
	rec, broken := newRecorder(t, interceptor.Config{}), brokenStream{ctx: t.Context()}
	stream, err := rec.StreamClientInterceptor(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, nil, "/a.B/C",
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return broken, nil
		})
	if err != nil || stream.SendMsg(nil) == nil || stream.RecvMsg(nil) == nil {
		t.Fatal("no error")
	}
	info := &grpc.StreamServerInfo{FullMethod: "/a.B/C", IsClientStream: true, IsServerStream: true}
	_ = rec.StreamServerInterceptor(nil, broken, info, func(_ any, stream grpc.ServerStream) error {
		return errors.Join(stream.SendMsg(nil), stream.RecvMsg(nil))
	})
	for side, total := range map[string]interceptor.Stats{"client": rec.Client().Total, "server": rec.Server().Total} {
		if total.MsgSent != 0 || total.MsgReceived != 0 {
			t.Errorf("%s: sent %d, received %d, want none", side, total.MsgSent, total.MsgReceived)
		}
	}
}
