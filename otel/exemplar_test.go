package otelvitals_test

import (
	"context"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/interceptor"
	otelvitals "github.com/vitals-go/vitals/otel"
)

// spanned returns a context with a span.
func spanned(ctx context.Context, flags trace.TraceFlags) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{15: 0xab}, SpanID: trace.SpanID{7: 0xcd}, TraceFlags: flags,
	}))
}

func TestExemplarIsNilWithoutASampledSpan(t *testing.T) {
	for name, ctx := range map[string]context.Context{
		"no span":     t.Context(),
		"not sampled": spanned(t.Context(), 0),
		"no identity": trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceFlags: trace.FlagsSampled})),
	} {
		if got := otelvitals.Exemplar(ctx); got != nil {
			t.Errorf("%s: %v", name, got)
		}
		if n := testing.AllocsPerRun(100, func() { otelvitals.Exemplar(ctx) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// A recorder whose exemplars lead to traces.
func ExampleExemplar() {
	recorder, err := interceptor.New(interceptor.Config{Exemplar: otelvitals.Exemplar})
	if err != nil {
		fmt.Println(err)
		return
	}
	// In a program a stats handler such as otelgrpc's begins the span.
	ctx := spanned(context.Background(), trace.FlagsSampled)
	_, _ = recorder.UnaryServerInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
		func(context.Context, any) (any, error) { return nil, nil })
	for _, method := range recorder.Server().Methods {
		for _, exemplar := range method.Exemplars {
			fmt.Println(method.Name, exemplar.Code, exemplar.Labels["trace_id"], exemplar.Labels["span_id"])
		}
	}
	// Output: Place OK 000000000000000000000000000000ab 00000000000000cd
}
