package interceptor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

// Prometheus takes a counter as 0 at its creation: a creation long before the first call hides that call from increase().
func TestCreatedIsWhenACodeFirstOccurred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		call := func(code codes.Code) {
			_, _ = recorder.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
				func(context.Context, any) (any, error) { time.Sleep(time.Second); return nil, status.Error(code, "") })
		}
		time.Sleep(time.Hour)
		began := time.Now()
		for range 2 {
			call(codes.OK)
			call(codes.NotFound)
		}
		for method := range recorder.ServerTotals() {
			for code, want := range map[codes.Code]time.Duration{codes.OK: 0, codes.Internal: 0, codes.NotFound: 2 * time.Second} {
				if got := method.Created(code).Sub(began); got != want {
					t.Errorf("%s was created %v after the first call began, want %v", code, got, want)
				}
			}
		}
		for _, method := range recorder.Server().Methods {
			if got := method.Created(codes.NotFound).Sub(began); got != 2*time.Second {
				t.Errorf("in a snapshot: created after %v", got)
			}
		}
	})
}
