package interceptor_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

func TestTotalsEqualSnapshot(t *testing.T) {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"/a.A/One", "/a.A/Two", "/b.B/One"} {
		for code := range codes.Code(i*4 + 1) {
			_, _ = recorder.UnaryServerInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: name},
				func(context.Context, any) (any, error) { return nil, status.Error(code, "") })
		}
	}
	next := 0
	for got := range recorder.ServerTotals() {
		want := recorder.Server().Methods[next]
		want.Window = interceptor.Window{}
		if got.Service != want.Service || got.Name != want.Name || got.Type != want.Type ||
			!reflect.DeepEqual(got.Total, want.Total) || !reflect.DeepEqual(got.Exemplars, want.Exemplars) {
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

func TestTotalsAllocateTheSameForAnyNumberOfMethods(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	few, many := called(t, 10), called(t, 500)
	read := func(r *interceptor.Recorder) float64 {
		return testing.AllocsPerRun(10, func() {
			for range r.ServerTotals() {
				continue
			}
		})
	}
	if a, b := read(few), read(many); b > a || a > 5 {
		t.Errorf("%v allocations for 10 methods, %v for 500", a, b)
	}
}

// called returns a recorder that has seen a call of each of n methods.
func called(tb testing.TB, n int) *interceptor.Recorder {
	tb.Helper()
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		_, _ = recorder.UnaryServerInterceptor(tb.Context(), nil, &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/a.A/Method%d", i)},
			func(context.Context, any) (any, error) { return nil, nil })
	}
	return recorder
}

// BenchmarkTotals compares the ways to read a hundred methods.
func BenchmarkTotals(b *testing.B) {
	recorder := called(b, 100)
	b.Run("Server", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			recorder.Server()
		}
	})
	b.Run("ServerTotals", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range recorder.ServerTotals() {
				continue
			}
		}
	})
}
