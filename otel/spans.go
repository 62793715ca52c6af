package otelvitals

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/otel/internal/semconv"
	"github.com/vitals-go/vitals/servicer"
)

// CheckSpans returns a hook for checker.Config.Wrap that makes a span of each run of a check: health.check, the root
// of a trace of its own, with the check's name and the code of the reason. What the check itself calls becomes a part
// of that trace. A run that fails has the status Error, described by the reason; the raw cause is added only if details
// has the policy DetailsAlways and no Authorize, because spans go to somebody who cannot be asked who they are.
//
// It returns nil, which is no hook, if provider is nil.
func CheckSpans(provider trace.TracerProvider, details servicer.Details) func(context.Context, string) (context.Context, func(error)) {
	if provider == nil {
		return nil
	}
	tracer := provider.Tracer(semconv.Scope)
	showCause := details.Policy == servicer.DetailsAlways && details.Authorize == nil
	return func(ctx context.Context, name string) (context.Context, func(error)) {
		inner, span := tracer.Start(ctx, "health.check", trace.WithNewRoot(), trace.WithAttributes(word(keyCheck, name)))
		return inner, func(err error) {
			defer span.End()
			reason := runReason(ctx, err)
			span.SetAttributes(keyReason.String(reason.String()))
			if reason == checker.ReasonOK {
				return
			}
			span.SetStatus(codes.Error, reason.String())
			if showCause && err != nil {
				span.RecordError(err)
			}
		}
	}
}

// runReason also knows the run that was given up long before it passed.
func runReason(ctx context.Context, err error) checker.Reason {
	if err == nil && ctx.Err() == context.DeadlineExceeded {
		return checker.ReasonTimeout
	}
	return checker.ReasonFor(ctx, err)
}
