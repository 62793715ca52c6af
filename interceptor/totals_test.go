package interceptor_test

import (
	"context"
	"reflect"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

func TestTotalsAreThoseOfTheSnapshot(t *testing.T) {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"/a.A/One", "/a.A/Two", "/b.B/One"} {
		for code := range codes.Code(i*4 + 1) {
			_, _ = recorder.UnaryServer(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: name},
				func(context.Context, any) (any, error) { return nil, status.Error(code, "") })
		}
	}
	next := 0
	for got := range recorder.ServerTotals() {
		want := recorder.Server().Methods[next]
		want.Window, want.ByCode = interceptor.Window{}, nil
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("method %d is %+v, want %+v", next, *got, want)
		}
		next++
	}
	if next != 3 {
		t.Errorf("%d methods, want 3: other names are hidden until they are called", next)
	}
	for range recorder.ClientTotals() {
		t.Error("the client side has a method that nobody called")
	}
	for range recorder.ServerTotals() {
		break // A reader may stop.
	}
	if got, want := recorder.Started(), recorder.Server().Started; got != want {
		t.Errorf("started at %v, the snapshot says %v", got, want)
	}
}
