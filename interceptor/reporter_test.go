package interceptor_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

var (
	_ interceptors.ServerReportable = (*interceptor.Recorder)(nil)
	_ interceptors.ClientReportable = (*interceptor.Recorder)(nil)
)

func TestReporterInAMiddlewareChain(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	rec.Register(shop)
	one := interceptors.UnaryServerInterceptor(rec)
	_, _ = one(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Get"}, okHandler)
	_, _ = one(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/grpc.health.v1.Health/Check"}, okHandler)
	_, _ = one(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/no.Such/Get"},
		func(context.Context, any) (any, error) { return nil, errors.New("x") })
	stream := interceptors.StreamServerInterceptor(rec)
	_ = stream(rec, idleStream{ctx: t.Context()}, &grpc.StreamServerInfo{FullMethod: "/shop.v1.Orders/Follow", IsServerStream: true},
		func(_ any, s grpc.ServerStream) error {
			for range 3 {
				_ = s.SendMsg(nil)
			}
			return status.Error(codes.DataLoss, "x")
		})
	snap := rec.Server()
	if s := snap.Total; s.Handled != 3 || s.InFlight() != 0 || s.ByCode(codes.OK) != 1 || s.Failures != 2 {
		t.Errorf("handled %d, in flight %d, %v, failures %d", s.Handled, s.InFlight(), byCode(&s), s.Failures)
	}
	if m := method(t, snap, "shop.v1.Orders", "Follow").Total; m.MsgSent != 3 || m.ByCode(codes.DataLoss) != 1 {
		t.Errorf("stream sent %d, %v; want 3, one DataLoss", m.MsgSent, byCode(&m))
	}
	if m := method(t, snap, "shop.v1.Orders", "Get").Total; m.MsgSent != 1 || m.MsgReceived != 1 {
		t.Errorf("unary call sent %d, received %d, want 1, 1", m.MsgSent, m.MsgReceived)
	}
}

func TestReporterSettlesAClientStreamOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{})
		meta := interceptors.CallMeta{Service: "a.B", Method: "C", Typ: interceptors.BidiStream, IsClient: true}
		ctx, cancel := context.WithCancel(t.Context())
		reporter, _ := rec.ClientReporter(ctx, meta)
		for range 3 {
			reporter.PostCall(io.EOF, time.Second)
		}
		// The middleware does not report a cancelled stream at all.
		_, _ = rec.ClientReporter(ctx, meta)
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		s := rec.Client().Total
		if s.Handled != 2 || s.ByCode(codes.OK) != 1 || s.ByCode(codes.Canceled) != 1 || s.InFlight() != 0 {
			t.Errorf("handled %d, %v, in flight %d; want one OK, one Canceled, none", s.Handled, byCode(&s), s.InFlight())
		}
		if s.Latency.Sum != time.Second+time.Minute {
			t.Errorf("latency %v, want 1m1s", s.Latency.Sum)
		}
	})
}
