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

// Run makes a span of each transition in the report's journal from now on, until ctx ends: health.transition, of no
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
	told := e.cfg.Health.Report().Journal
	for report := range e.cfg.Health.Reports(ctx) {
		tellNews(tracer, told, report.Journal)
		told = report.Journal
	}
	// The last edition may have come together with the end of ctx.
	tellNews(tracer, told, e.cfg.Health.Report().Journal)
	return nil
}

// tellNews tells, oldest first, what is in journal but not in told. Both begin with what is newest.
func tellNews(tracer trace.Tracer, told, journal []servicer.Transition) {
	for _, t := range slices.Backward(news(told, journal)) {
		tell(tracer, &t)
	}
}

// news returns the head of journal that told does not have.
func news(told, journal []servicer.Transition) []servicer.Transition {
	if len(told) == 0 {
		return journal
	}
	for i := range journal {
		if journal[i].Seq <= told[0].Seq {
			return journal[:i]
		}
	}
	return journal
}

func tell(tracer trace.Tracer, t *servicer.Transition) {
	attributes := []attribute.KeyValue{
		word(keySubject, t.Subject), word(keyFrom, t.From), word(keyTo, t.To), word(keyReason, t.Reason),
		word(keyText, t.Text), keyLasted.Float64(t.Lasted.Seconds()),
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
