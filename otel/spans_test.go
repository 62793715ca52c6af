package otelvitals_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	otelcodes "go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/vitals-go/vitals/checker"
	otelvitals "github.com/vitals-go/vitals/otel"
	"github.com/vitals-go/vitals/servicer"
)

// tracer returns a TracerProvider and the recorder of its spans.
func tracer() (*sdktrace.TracerProvider, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), recorder
}

func attributes(span sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, kv := range span.Attributes() {
		all[string(kv.Key)] = kv.Value.String()
	}
	return all
}

var errSecret = errors.New("dial postgres://shop:hunter2@db: refused")

func TestCheckSpansMakesASpanOfEachRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, recorder := tracer()
		inner := provider.Tracer("database driver")
		runs := map[string]func(context.Context) error{
			"good":     func(ctx context.Context) error { _, span := inner.Start(ctx, "query"); span.End(); return nil },
			"bad":      func(context.Context) error { return errSecret },
			"slow":     func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			"blocking": func(context.Context) error { time.Sleep(time.Minute); return nil },
			"degraded": func(context.Context) error { return checker.Degraded("the index is old", errSecret) },
			"panic":    func(context.Context) error { panic("hunter2") },
		}
		checks := run(t, runs, otelvitals.CheckSpans(provider, servicer.Details{}))
		time.Sleep(2 * time.Minute)
		checks()
		reasons := map[string]string{}
		var query, good sdktrace.ReadOnlySpan
		for _, span := range recorder.Ended() {
			if strings.Contains(fmt.Sprintf("%+v %+v %+v", span.Attributes(), span.Events(), span.Status()), "hunter2") {
				t.Errorf("a span of %s shows the cause", attributes(span)["vitals.check.name"])
			}
			if span.Name() == "query" {
				query = span
				continue
			}
			if span.Name() != "health.check" || span.Parent().IsValid() {
				t.Errorf("span %q with parent %v, want a root of the name health.check", span.Name(), span.Parent())
			}
			name, reason := attributes(span)["vitals.check.name"], attributes(span)["vitals.reason"]
			reasons[name] = reason
			want := sdktrace.Status{Code: otelcodes.Error, Description: reason}
			if name == "good" || name == "degraded" {
				want = sdktrace.Status{}
			}
			if name == "good" {
				good = span
			}
			if span.Status() != want {
				t.Errorf("%s has the status %v, want %v", name, span.Status(), want)
			}
		}
		for name, want := range map[string]string{"good": "ok", "bad": "error", "slow": "timeout", "blocking": "timeout", "panic": "panic", "degraded": "degraded"} {
			if reasons[name] != want {
				t.Errorf("the run of %s ended with reason %q, want %q", name, reasons[name], want)
			}
		}
		if query == nil || query.Parent().SpanID() != good.SpanContext().SpanID() {
			t.Error("the span of the check's work is not a child of its span")
		}
	})
}

// run starts a checker in a bubble, each check running once, and returns what stops it.
func run(t *testing.T, runs map[string]func(context.Context) error, wrap func(context.Context, string) (context.Context, func(error))) (stop func()) {
	t.Helper()
	cfg := checker.Config{Wrap: wrap}
	for name, run := range runs {
		cfg.Checks = append(cfg.Checks, checker.Check{Name: name, Run: run, Interval: time.Hour, FailingInterval: time.Hour})
	}
	c, err := checker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	// A span around the checker is not the parent of a check's.
	provider, _ := tracer()
	ctx, cancel := context.WithCancel(t.Context())
	ctx, _ = provider.Tracer("main").Start(ctx, "main")
	go func() { _ = c.Run(ctx) }()
	return func() { cancel(); synctest.Wait() }
}

func TestCheckSpansRecordsCausesOnlyWithDetailsAlways(t *testing.T) {
	yes := func(context.Context, servicer.Caller) bool { return true }
	for name, test := range map[string]struct {
		details servicer.Details
		shown   bool
	}{
		"never":     {servicer.Details{Policy: servicer.DetailsNever}, false},
		"local":     {servicer.Details{Policy: servicer.DetailsLocal}, false},
		"always":    {servicer.Details{Policy: servicer.DetailsAlways}, true},
		"authorize": {servicer.Details{Policy: servicer.DetailsAlways, Authorize: yes}, false},
	} {
		provider, recorder := tracer()
		_, end := otelvitals.CheckSpans(provider, test.details)(t.Context(), "database")
		end(errSecret)
		events := fmt.Sprintf("%+v", recorder.Ended()[0].Events())
		if shown := strings.Contains(events, "hunter2"); shown != test.shown {
			t.Errorf("%s: the cause is shown: %v, want %v", name, shown, test.shown)
		}
	}
}

func TestCheckSpansIsNilWithoutAProvider(t *testing.T) {
	if otelvitals.CheckSpans(nil, servicer.Details{}) != nil {
		t.Error("got a function without a provider, want nil")
	}
}

func TestRunMakesASpanOfEachTransition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failing atomic.Bool
		failing.Store(true)
		checks, err := checker.New(checker.Config{Checks: []checker.Check{{
			Name: "database", Interval: time.Minute, FailingInterval: time.Minute, Jitter: -1,
			Run: func(context.Context) error {
				if failing.Load() {
					return errSecret
				}
				return nil
			},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		health, err := servicer.New(servicer.Config{Checker: checks})
		if err != nil {
			t.Fatal(err)
		}
		provider, recorder := tracer()
		e := exporter(t, otelvitals.Config{Source: health, TracerProvider: provider})
		ctx, stop := context.WithCancel(t.Context())
		for _, run := range []func(context.Context) error{e.Run, checks.Run, health.Run} {
			go func() {
				if err := run(ctx); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait() // transitions before the exporter runs are not exported
		}
		time.Sleep(30 * time.Second)
		failing.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		spans, transitions := recorder.Ended(), len(health.Report().Transitions)
		stop()
		synctest.Wait()
		var got []string
		for _, span := range spans {
			a := attributes(span)
			if span.Name() != "health.transition" || span.Parent().IsValid() || !span.StartTime().Equal(span.EndTime()) {
				t.Errorf("%s is not a root without length of the name health.transition", span.Name())
			}
			if strings.Contains(fmt.Sprint(a), "hunter2") {
				t.Errorf("a transition shows the cause: %v", a)
			}
			got = append(got, a["vitals.subject"]+" "+a["vitals.from"]+" "+a["vitals.to"]+" "+a["vitals.reason"])
		}
		if len(got) != transitions {
			t.Errorf("%d spans of %d transitions", len(got), transitions)
		}
		for _, want := range []string{
			"check/database unknown critical error", "check/database critical healthy ok", "phase starting ready",
			"name/readiness NOT_SERVING SERVING ok", "overall critical healthy ok",
		} {
			if n := count(got, want); n != 1 {
				t.Errorf("%d spans of %q, want 1: %q", n, want, got)
			}
		}
	})
}

func count(all []string, begin string) (n int) {
	for _, s := range all {
		if strings.HasPrefix(s, begin) {
			n++
		}
	}
	return n
}

func TestRunWithoutTracerProviderWaitsForContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, _ := meter(t)
		e := exporter(t, otelvitals.Config{Source: staticSource{report()}, MeterProvider: provider})
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		if err := e.Run(ctx); err != nil || ctx.Err() == nil {
			t.Errorf("Run returned %v before its context ended", err)
		}
	})
}
