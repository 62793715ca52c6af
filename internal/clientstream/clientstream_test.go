package clientstream_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/clientstream"
)

// attempts is a stream that an interceptor opens again after each error but the last.
type attempts struct {
	grpc.ClientStream

	finish func(error) // grpc.OnFinish
	errs   []error     // of RecvMsg
}

var errAttempt = status.Error(codes.Unavailable, "attempt")

func (a *attempts) RecvMsg(any) error {
	for i, err := range a.errs {
		if err != nil {
			a.finish(err)
		}
		if !errors.Is(err, errAttempt) || i == len(a.errs)-1 {
			a.errs = a.errs[i+1:]
			if errors.Is(err, errPanic) {
				panic(err)
			}
			return err
		}
	}
	return io.EOF
}

func (a *attempts) SendMsg(any) error { return a.RecvMsg(nil) }

func (*attempts) Trailer() metadata.MD { return metadata.Pairs("of", "the last attempt") }

var errPanic = errors.New("panic")

// open returns an open stream and the ends that it reports.
func open(t *testing.T, ctx context.Context, desc grpc.StreamDesc, conn *grpc.ClientConn, errs ...error) (*clientstream.Stream, *attempts, *[]codes.Code) {
	t.Helper()
	var ends []codes.Code
	inner := &attempts{errs: errs}
	s := &clientstream.Stream{End: func(err error, trailer func() metadata.MD) {
		ends = append(ends, status.Code(err))
		if trailer != nil && len(trailer()) == 0 {
			t.Error("no trailer")
		}
	}}
	if err := s.Open(ctx, &desc, conn, "/a.B/C", func(
		_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		inner.finish = opts[len(opts)-1].(grpc.OnFinishCallOption).OnFinish
		return inner, nil
	}); err != nil {
		t.Fatal(err)
	}
	return s, inner, &ends
}

func expectEnds(t *testing.T, ends *[]codes.Code, want ...codes.Code) {
	t.Helper()
	if len(*ends) != len(want) || len(want) > 0 && (*ends)[0] != want[0] {
		t.Errorf("ended %v, want %v", *ends, want)
	}
}

func TestEndIsWhatTheCallerReceives(t *testing.T) {
	for name, test := range map[string]struct {
		desc grpc.StreamDesc
		errs []error
		want codes.Code
	}{
		"second attempt":          {grpc.StreamDesc{ServerStreams: true}, []error{errAttempt, nil, io.EOF}, codes.OK},
		"no attempt":              {grpc.StreamDesc{ServerStreams: true}, []error{nil, errAttempt, errAttempt}, codes.Unavailable},
		"single response":         {grpc.StreamDesc{ClientStreams: true}, []error{errAttempt, nil}, codes.OK},
		"error that wraps an EOF": {grpc.StreamDesc{ServerStreams: true}, []error{errors.Join(io.EOF)}, codes.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, ends := open(t, t.Context(), test.desc, nil, test.errs...)
			for range 5 {
				_ = s.RecvMsg(nil)
			}
			expectEnds(t, ends, test.want)
		})
	}
}

func TestFailureToSendEndsTheStream(t *testing.T) {
	s, _, ends := open(t, t.Context(), grpc.StreamDesc{ClientStreams: true}, nil, nil, io.EOF, errAttempt)
	for range 2 {
		_ = s.SendMsg(nil)
	}
	expectEnds(t, ends)
	_ = s.SendMsg(nil)
	expectEnds(t, ends, codes.Unavailable)
}

func TestCanceledStreamThatIsNotReadEnds(t *testing.T) {
	for name, before := range map[string]func(*clientstream.Stream, *attempts){
		"open":                   func(*clientstream.Stream, *attempts) {},
		"an attempt has ended":   func(_ *clientstream.Stream, a *attempts) { a.finish(errAttempt) },
		"retried":                func(s *clientstream.Stream, _ *attempts) { _ = s.RecvMsg(nil) },
		"receiving has panicked": func(s *clientstream.Stream, a *attempts) { a.errs = []error{errPanic}; recoverFrom(s) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, a, ends := open(t, ctx, grpc.StreamDesc{ServerStreams: true}, nil, errAttempt, nil)
				before(s, a)
				synctest.Wait()
				expectEnds(t, ends)
				cancel()
				a.finish(status.FromContextError(ctx.Err()).Err()) // as gRPC does
				synctest.Wait()
				expectEnds(t, ends, codes.Canceled)
			})
		})
	}
}

func recoverFrom(s *clientstream.Stream) {
	defer func() { _ = recover() }()
	_ = s.RecvMsg(nil)
}

func TestClosedConnectionEndsTheStream(t *testing.T) {
	conn, err := grpc.NewClient("passthrough:///nowhere", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	_, a, ends := open(t, t.Context(), grpc.StreamDesc{ServerStreams: true}, conn, nil)
	conn.Close()
	a.finish(status.Error(codes.Canceled, "grpc: the client connection is closing"))
	expectEnds(t, ends, codes.Canceled)
}
