package otelproducer_test

import (
	"context"
	"encoding/hex"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/otelproducer"
)

func TestPointsHaveExemplarsOfTheirCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const id, span = "000102030405060708090a0b0c0d0e0f", "0001020304050607"
		var labels map[string]string
		recorder, err := interceptor.New(interceptor.Config{Exemplar: func(context.Context) map[string]string { return labels }})
		if err != nil {
			t.Fatal(err)
		}
		call := func(code codes.Code, took time.Duration, with map[string]string) {
			labels = with
			post(recorder, false, "M", code, took)
		}
		call(codes.OK, time.Millisecond, map[string]string{"trace_id": id, "span_id": span})
		call(codes.OK, time.Second, map[string]string{"trace_id": "abcd", "tenant": "a\xff"})
		call(codes.Internal, time.Minute, map[string]string{"trace_id": id})
		call(codes.NotFound, time.Hour, nil)

		var all []metricdata.Exemplar[float64]
		explicit := collect(t, attach(t, otelproducer.Config{}, recorder))["rpc.server.call.duration"].Data
		for _, p := range explicit.(metricdata.Histogram[float64]).DataPoints {
			code, _ := p.Attributes.Value("rpc.status_code")
			if want := map[string]int{"OK": 2, "INTERNAL": 1, "NOT_FOUND": 0}[code.AsString()]; len(p.Exemplars) != want {
				t.Errorf("%s has %d exemplars, want %d", code.AsString(), len(p.Exemplars), want)
			}
			all = append(all, p.Exemplars...)
		}
		exponential := collect(t, attach(t, otelproducer.Config{Exponential: true}, recorder))["rpc.server.call.duration"].Data
		if got := exponential.(metricdata.ExponentialHistogram[float64]).DataPoints[0].Exemplars; len(got) != 3 {
			t.Errorf("the exponential point has %d exemplars, want 3", len(got))
		}
		for _, e := range all {
			filtered := map[string]string{}
			for _, kv := range e.FilteredAttributes {
				filtered[string(kv.Key)] = kv.Value.AsString()
			}
			trace := hex.EncodeToString(e.TraceID)
			switch e.Value {
			case 0.001:
				if trace != id || hex.EncodeToString(e.SpanID) != span || len(filtered) != 0 {
					t.Errorf("%+v", e)
				}
			case 1:
				if trace != "" || filtered["trace_id"] != "abcd" || filtered["tenant"] != "a\uFFFD" {
					t.Errorf("%+v", e)
				}
			case 60:
				if trace != id || len(e.SpanID) != 0 {
					t.Errorf("%+v", e)
				}
			default:
				t.Errorf("%+v", e)
			}
			if e.Time.IsZero() {
				t.Error("an exemplar without a time")
			}
		}
	})
}
