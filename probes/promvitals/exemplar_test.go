package promvitals_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
)

type labelsKey struct{}

// illustrated returns a recorder that knows one method and takes the exemplars of calls from their contexts.
func illustrated(t *testing.T) *interceptor.Recorder {
	t.Helper()
	recorder, err := interceptor.New(interceptor.Config{Exemplar: func(ctx context.Context) map[string]string {
		labels, _ := ctx.Value(labelsKey{}).(map[string]string)
		return labels
	}})
	if err != nil {
		t.Fatal(err)
	}
	return recorder
}

// post records a call that takes exactly this long in a synctest bubble.
func post(t *testing.T, recorder *interceptor.Recorder, labels map[string]string, took time.Duration, code codes.Code) {
	t.Helper()
	_, _ = recorder.UnaryServerInterceptor(context.WithValue(t.Context(), labelsKey{}, labels), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/Place"},
		func(context.Context, any) (any, error) {
			time.Sleep(took)
			return nil, status.Error(code, "")
		})
}

func trace(id string) map[string]string { return map[string]string{"trace_id": id, "span_id": "s"} }

const (
	text        = "text/plain;version=0.0.4"
	openMetrics = "application/openmetrics-text;version=1.0.0"
)

func illustratedPage(t *testing.T, recorder *interceptor.Recorder) http.Handler {
	t.Helper()
	page, err := promvitals.Handler(collector(t, promvitals.Config{Recorder: recorder, NativeHistograms: true}))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestBucketsAndCodesHaveTheirNewestExemplar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := illustrated(t)
		ended := map[string]time.Time{}
		for _, call := range []struct {
			id   string
			took time.Duration
			code codes.Code
		}{
			{"fast", 4 * time.Millisecond, codes.OK},
			{"tight", 5 * time.Millisecond, codes.OK}, // the bound itself; too soon after the other to count
			{"edge", 50 * time.Millisecond, codes.OK},
			{"good", 600 * time.Millisecond, codes.OK},
			{"bad", 700 * time.Millisecond, codes.Internal}, // the newest below 1 s
			{"worse", 3 * time.Second, codes.Internal},
			{"hung", 20 * time.Second, codes.Unavailable},
			{"", time.Minute, codes.OK},
		} {
			labels := trace(call.id)
			if call.id == "" {
				labels = nil
			}
			post(t, recorder, labels, call.took, call.code)
			ended[call.id] = time.Now()
			time.Sleep(10 * time.Millisecond)
		}
		page := get(t, illustratedPage(t, recorder), openMetrics).Body.String()
		for _, want := range []struct {
			series, id string
			value      float64
		}{
			{`handling_seconds_bucket{%s,le="0.005"} 2`, "fast", 0.004},
			{`handling_seconds_bucket{%s,le="0.05"} 3`, "edge", 0.05},
			{`handling_seconds_bucket{%s,le="1.0"} 5`, "bad", 0.7},
			{`handling_seconds_bucket{%s,le="5.0"} 6`, "worse", 3},
			{`handling_seconds_bucket{%s,le="+Inf"} 8`, "hung", 20},
			{`handled_total{grpc_code="OK",%s} 5.0`, "good", 1},
			{`handled_total{grpc_code="Internal",%s} 2.0`, "worse", 1},
			{`handled_total{grpc_code="Unavailable",%s} 1.0`, "hung", 1},
		} {
			series := "grpc_server_" + fmt.Sprintf(want.series, `grpc_method="Place",grpc_service="shop.v1.Orders",grpc_type="unary"`)
			line, found := "", false
			for line = range strings.Lines(page) {
				if found = strings.HasPrefix(line, series); found {
					break
				}
			}
			_, exemplar, _ := strings.Cut(line, " # ")
			var value, at float64
			_, err := fmt.Sscanf(exemplar, `{span_id="s",trace_id="`+want.id+`"} %g %g`, &value, &at)
			if !found || err != nil || value != want.value || math.Abs(at-float64(ended[want.id].UnixMicro())/1e6) > 0.0005 {
				t.Errorf("%s has %q, want %s", series, exemplar, want.id)
			}
		}
		if got := strings.Count(page, " # {"); got != 8 {
			t.Errorf("%d exemplars, want 8", got)
		}
		if strings.Contains(get(t, illustratedPage(t, recorder), text).Body.String(), " # {") {
			t.Error("the text format, which has no exemplars, has some")
		}
	})
}

func TestNativeHistogramsHaveAllExemplars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := illustrated(t)
		for i := range 9 {
			post(t, recorder, trace(fmt.Sprint(i)), time.Duration(1<<(3*i)), codes.OK)
			post(t, recorder, trace(fmt.Sprint(i+100)), time.Duration(1<<(3*i)), codes.Internal)
		}
		h := decoded(t, illustratedPage(t, recorder))["grpc_server_handling_seconds"].GetMetric()[0].GetHistogram()
		want := len(recorder.Server().Methods[0].Exemplars)
		if got := len(h.GetExemplars()); got != want || want < 12 {
			t.Errorf("%d exemplars, want %d", got, want)
		}
		classic := 0
		for _, bucket := range h.GetBucket() {
			if bucket.GetExemplar() != nil {
				classic++
			}
		}
		for _, e := range h.GetExemplars() {
			if e.GetTimestamp() == nil || len(e.GetLabel()) != 2 {
				t.Errorf("%v", e)
			}
		}
		if classic != 2 || len(h.GetBucket()) != 11 { // up to 5 ms, and 16.8 ms
			t.Errorf("%d of %d classic buckets have an exemplar", classic, len(h.GetBucket()))
		}
	})
}

func TestInvalidExemplarsAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, labels := range map[string]map[string]string{
			"a name of the other world": {"trace id": "1"},
			"no name":                   {"": "1"},
			"too long":                  {"trace_id": strings.Repeat("ü", 121)},
		} {
			recorder := illustrated(t)
			post(t, recorder, labels, time.Second, codes.OK)
			if page := get(t, illustratedPage(t, recorder), openMetrics).Body.String(); strings.Contains(page, " # {") {
				t.Errorf("%s is shown", name)
			}
		}
		recorder := illustrated(t)
		post(t, recorder, map[string]string{"trace_id": "quo\"te\n\xff", "id": strings.Repeat("ü", 105)}, time.Second, codes.OK)
		page := get(t, illustratedPage(t, recorder), openMetrics).Body.String()
		if want := `trace_id="quo\"te\n\\xff"} 1.0 `; !strings.Contains(page, want) {
			t.Errorf("%s is missing", want)
		}
	})
}
