package otelvitals

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitals-go/vitals/otel/internal/semconv"
	"github.com/vitals-go/vitals/servicer"
)

// Run makes a span of each transition of the report from now on, until ctx ends: health.transition, of no
// length, with the subject, from, to, reason, the safe text and the names that changed together. It returns nil. Without
// a TracerProvider it only waits.
//
// What happens faster than the journal is long is lost, as it is to the journal.
func (e *Exporter) Run(ctx context.Context) error {
	if e.cfg.TracerProvider == nil {
		<-ctx.Done()
		return nil
	}
	tracer := e.cfg.TracerProvider.Tracer(semconv.Scope)
	seen := e.cfg.Source.Report().Transitions
	for report := range servicer.Changes(ctx, e.cfg.Source) {
		emitNew(tracer, seen, report.Transitions)
		seen = report.Transitions
	}
	// The last edition may have come together with the end of ctx.
	emitNew(tracer, seen, e.cfg.Source.Report().Transitions)
	return nil
}

// emitNew tells, oldest first, what is in journal but not in told. Both begin with what is newest.
func emitNew(tracer trace.Tracer, seen, transitions []servicer.Transition) {
	for _, t := range slices.Backward(newSince(seen, transitions)) {
		emit(tracer, &t)
	}
}

// newSince returns the head of journal that told does not have.
func newSince(seen, transitions []servicer.Transition) []servicer.Transition {
	if len(seen) == 0 {
		return transitions
	}
	for i := range transitions {
		if transitions[i].Seq <= seen[0].Seq {
			return transitions[:i]
		}
	}
	return transitions
}

func emit(tracer trace.Tracer, t *servicer.Transition) {
	attributes := []attribute.KeyValue{
		word(keySubject, t.Subject), word(keyFrom, t.From), word(keyTo, t.To), word(keyReason, t.Reason.String()),
		word(keyText, t.Text), keyLasted.Float64(t.PreviousFor.Seconds()),
	}
	if len(t.Names) > 0 {
		names := make([]string, len(t.Names))
		for i, name := range t.Names {
			names[i] = strings.ToValidUTF8(name, "\uFFFD")
		}
		attributes = append(attributes, keyNames.StringSlice(names))
	}
	_, span := tracer.Start(context.Background(), "health.transition", trace.WithNewRoot(), trace.WithTimestamp(t.At),
		trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(t.At))
}
