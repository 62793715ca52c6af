package interceptor_test

import (
	"context"
	"log/slog"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/interceptor"
)

func newRecorder(t testing.TB, config interceptor.Config) *interceptor.Recorder {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	rec, err := interceptor.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// services stands in for a *grpc.Server that only has to name its services.
type services map[string]grpc.ServiceInfo

func (s services) GetServiceInfo() map[string]grpc.ServiceInfo { return s }

// idleStream is a server stream that takes and gives any message.
type idleStream struct {
	ctx context.Context
	err error
}

func (s idleStream) Context() context.Context   { return s.ctx }
func (idleStream) SetHeader(metadata.MD) error  { return nil }
func (idleStream) SendHeader(metadata.MD) error { return nil }
func (idleStream) SetTrailer(metadata.MD)       {}
func (s idleStream) SendMsg(any) error          { return s.err }
func (s idleStream) RecvMsg(any) error          { return s.err }

// unary runs one unary call through rec.
func unary(ctx context.Context, rec *interceptor.Recorder, name string, handler grpc.UnaryHandler) error {
	_, err := rec.UnaryServerInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: name}, handler)
	return err
}

// method returns the row of s for service and name.
func method(t testing.TB, s *interceptor.Snapshot, service, name string) interceptor.Method {
	t.Helper()
	for _, m := range s.Methods {
		if m.Service == service && m.Name == name {
			return m
		}
	}
	t.Fatalf("no method %s/%s in %d methods", service, name, len(s.Methods))
	return interceptor.Method{}
}

// byCode returns all counts of s by code.
func byCode(s *interceptor.Stats) (counts [interceptor.NumCodes]uint64) {
	for code := range counts {
		counts[code] = s.ByCode(codes.Code(code))
	}
	return counts
}
