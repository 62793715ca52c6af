package interceptor_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
)

// endedStream is a client stream that has ended.
type endedStream struct{ grpc.ClientStream }

func (endedStream) RecvMsg(any) error { return io.EOF }

// callsOfAllKinds makes one call of each kind, all of which end with err.
func callsOfAllKinds(t *testing.T, rec *interceptor.Recorder, err error) {
	t.Helper()
	same := func(kind string, got error) {
		if !errors.Is(got, err) {
			t.Errorf("%s: the caller gets another error", kind)
		}
	}
	ctx := t.Context()
	_, got := rec.UnaryServerInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/a.B/Get"},
		func(context.Context, any) (any, error) { return nil, err })
	same("unary server", got)
	same("server stream", rec.StreamServerInterceptor(rec, idleStream{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: "/a.B/Follow", IsServerStream: true},
		func(any, grpc.ServerStream) error { return err }))
	same("unary client", rec.UnaryClientInterceptor(ctx, "/a.B/Get", nil, nil, nil,
		func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return err }))
	stream, got := rec.StreamClientInterceptor(ctx, &grpc.StreamDesc{ServerStreams: true}, nil, "/a.B/Follow",
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return endedStream{}, err
		})
	same("client stream", got)
	if got == nil && !errors.Is(stream.RecvMsg(nil), io.EOF) {
		t.Error("client stream: no end")
	}
	op := rec.Begin(ctx, "jobs", "clean")
	op.End(&err)
}

func TestPanicsOfHooksChangeNoCall(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  interceptor.Config
		err  error
		code codes.Code
		want string // in the log, once
	}{
		"Skip":                {interceptor.Config{Skip: func(context.Context, string) bool { panic(secret) }}, nil, codes.OK, "Config.Skip panicked"},
		"Skip, failing calls": {interceptor.Config{Skip: func(context.Context, string) bool { panic(secret) }}, errors.New("no"), codes.Unknown, "Config.Skip panicked"},
		"Exemplar":            {interceptor.Config{Exemplar: func(context.Context) map[string]string { panic(secret) }}, nil, codes.OK, "Config.Exemplar panicked"},
	} {
		t.Run(name, func(t *testing.T) {
			var log logtest.Log
			logger, flush := log.Logger()
			tt.cfg.Logger = logger
			rec := newRecorder(t, tt.cfg)
			callsOfAllKinds(t, rec, tt.err)
			server, client := rec.Server().Total, rec.Client().Total
			if server.Handled != 3 || server.InFlight() != 0 || server.ByCode(tt.code) != 3 {
				t.Errorf("server: %d of %d calls ended, %d with %v; want 3", server.Handled, server.Started, server.ByCode(tt.code), tt.code)
			}
			if client.Handled != 2 || client.InFlight() != 0 || client.ByCode(tt.code) != 2 {
				t.Errorf("client: %d of %d calls ended, %d with %v; want 2", client.Handled, client.Started, client.ByCode(tt.code), tt.code)
			}
			flush()
			if strings.Count(log.String(), tt.want) != 1 || !strings.Contains(log.String(), secret) {
				t.Errorf("log %q, want one line %q", log.String(), tt.want)
			}
		})
	}
}

func TestOperationEndsWithAnErrorThatPanics(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	op := rec.Begin(t.Context(), "jobs", "clean")
	var err error = brokenError{}
	op.End(&err)
	checkOnePanic(t, rec)
}
