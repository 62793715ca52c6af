package interceptor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/interceptor"
)

func TestChangedIsClosedByTheFirstCallAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		closed := func(c <-chan struct{}) bool {
			select {
			case <-c:
				return true
			default:
				return false
			}
		}
		call := func(handler grpc.UnaryHandler) {
			_, _ = r.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"}, handler)
		}
		pass := func(context.Context, any) (any, error) { return nil, nil }
		for range 3 {
			idle := r.Changed()
			call(func(context.Context, any) (any, error) {
				if !closed(idle) {
					t.Error("a call that has begun after a pause has not closed the channel")
				}
				idle = r.Changed()
				time.Sleep(time.Minute)
				return nil, nil
			})
			if !closed(idle) {
				t.Error("a call that has ended after a pause has not closed the channel")
			}
			next := r.Changed()
			call(pass)
			if closed(next) {
				t.Error("a call in the same step of the window has closed the channel")
			}
			time.Sleep(time.Minute)
		}
	})
}
