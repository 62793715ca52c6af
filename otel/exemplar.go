package otelvitals

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// Exemplar returns the trace_id and the span_id of the span in ctx if it is sampled, else nil, which is what
// OpenTelemetry's SDK calls the filter trace_based. It is made for interceptor.Config.Exemplar. On a server that is the
// span of the call, if a stats handler such as otelgrpc's has begun one; on a client that of the caller. It allocates
// only for what is sampled.
func Exemplar(ctx context.Context) map[string]string {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsSampled() || !span.IsValid() {
		return nil
	}
	return map[string]string{"trace_id": span.TraceID().String(), "span_id": span.SpanID().String()}
}
