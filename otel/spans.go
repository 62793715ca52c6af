package otelvitals

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/otel/internal/semconv"
	"github.com/vitals-go/vitals/servicer"
)

// Exemplar returns the trace_id and the span_id of the span in ctx if it is sampled, else nil, as the SDK's filter
// trace_based does. It is made for interceptor.Config.Exemplar. On a server the span is that of the call, if a stats handler
// such as otelgrpc's has started one; on a client that of the caller. It allocates only for sampled spans.
func Exemplar(ctx context.Context) map[string]string {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsSampled() || !span.IsValid() {
		return nil
	}
	return map[string]string{"trace_id": span.TraceID().String(), "span_id": span.SpanID().String()}
}

// CheckSpans returns a function for checker.Config.Wrap that makes a span of each run of a check: health.check, the root of
// its own trace, with the check's name and the reason. Spans that the check starts become its children. A failed run has the
// status Error, described by the reason. The raw cause is recorded only if details has the policy DetailsAlways and no
// Authorize, because a span has no caller to authorize. CheckSpans returns nil if provider is nil.
func CheckSpans(provider trace.TracerProvider, details servicer.Details) func(context.Context, string) (context.Context, func(error)) {
	if provider == nil {
		return nil
	}
	tracer := provider.Tracer(semconv.Scope)
	showCause := details.Policy == servicer.DetailsAlways && details.Authorize == nil
	return func(ctx context.Context, name string) (context.Context, func(error)) {
		inner, span := tracer.Start(ctx, "health.check", trace.WithNewRoot(), trace.WithAttributes(validString(keyCheck, name)))
		return inner, func(err error) {
			defer span.End()
			reason := checker.ReasonFor(ctx, err)
			if err == nil && ctx.Err() == context.DeadlineExceeded { // abandoned before it returned
				reason = checker.ReasonTimeout
			}
			span.SetAttributes(keyReason.String(reason.String()))
			if reason != checker.ReasonOK && reason != checker.ReasonDegraded {
				span.SetStatus(codes.Error, reason.String())
			}
			if showCause && err != nil {
				span.RecordError(err)
			}
		}
	}
}

// Run makes a span of each transition in the report from now on, until ctx is done, and returns nil: health.transition,
// without length, with subject, from, to, reason, public text, the seconds in the previous state and the names that changed
// together. Transitions that leave the report's list between two changes that Run sees are lost. Without a TracerProvider it
// only waits for ctx.
func (e *Exporter) Run(ctx context.Context) error {
	if e.cfg.TracerProvider == nil {
		<-ctx.Done()
		return nil
	}
	tracer := e.cfg.TracerProvider.Tracer(semconv.Scope)
	seen := e.cfg.Source.Report().Transitions
	emit := func(transitions []servicer.Transition) {
		for _, t := range slices.Backward(newSince(seen, transitions)) {
			transitionSpan(tracer, &t)
		}
		seen = transitions
	}
	for report := range servicer.Changes(ctx, e.cfg.Source) {
		emit(report.Transitions)
	}
	emit(e.cfg.Source.Report().Transitions) // a last change may have come together with the end of ctx
	return nil
}

// newSince returns the transitions that are not in seen. Both begin with the newest.
func newSince(seen, transitions []servicer.Transition) []servicer.Transition {
	for i := range transitions {
		if len(seen) > 0 && transitions[i].Seq <= seen[0].Seq {
			return transitions[:i]
		}
	}
	return transitions
}

func transitionSpan(tracer trace.Tracer, t *servicer.Transition) {
	attributes := []attribute.KeyValue{
		validString(keySubject, t.Subject), validString(keyFrom, t.From), validString(keyTo, t.To),
		keyReason.String(t.Reason.String()), validString(keyText, t.Text), keyPreviousFor.Float64(t.PreviousFor.Seconds()),
	}
	if len(t.Names) > 0 {
		names := make([]string, len(t.Names))
		for i, name := range t.Names {
			names[i] = errtext.Valid(name)
		}
		attributes = append(attributes, keyNames.StringSlice(names))
	}
	_, span := tracer.Start(context.Background(), "health.transition", trace.WithNewRoot(), trace.WithTimestamp(t.At),
		trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(t.At))
}
