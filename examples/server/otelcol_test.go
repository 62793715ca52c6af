package main_test

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// traffic is how many calls ended how: the truth that all doors must tell, by method and OpenTelemetry's name of the code.
type traffic map[string]uint64

// makes makes calls and counts what the client sees.
func (sent traffic) makes(t *testing.T, s *server, puts, gets, misses int) {
	t.Helper()
	names := map[codes.Code]string{codes.OK: "OK", codes.NotFound: "NOT_FOUND", codes.InvalidArgument: "INVALID_ARGUMENT"}
	count := func(method string, err error, want codes.Code) {
		if status.Code(err) != want {
			t.Fatalf("%s: %v, want %v", method, err, want)
		}
		sent["inventory.v1.Inventory/"+method+" "+names[want]]++
	}
	for i := range puts {
		count("Put", s.put(fmt.Sprint("bolt", i)), codes.OK)
	}
	count("Put", s.put(""), codes.InvalidArgument)
	for range gets {
		_, err := s.get("bolt0")
		count("Get", err, codes.OK)
	}
	for range misses {
		_, err := s.get("nothing")
		count("Get", err, codes.NotFound)
	}
}

// TestRealCollector compares what a real OpenTelemetry Collector writes down with the calls that were made and with
// /metrics. Then it dies, and another one takes its place: nothing has gone, and everything goes on from where it was.
func TestRealCollector(t *testing.T) {
	t.Parallel()
	port := testdeps.Port(t)
	first := newCollector(t, port)
	s := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+testdeps.Addr(port), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_METRIC_EXPORT_INTERVAL=100", "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_EXPORTER_OTLP_TIMEOUT=1000",
		"PLUGIN_ENABLE_PROMETHEUS=true")
	s.becomes("", serving)
	sent := traffic{}
	sent.makes(t, s, 23, 17, 5)
	before := first.tells(t, s, sent)
	testdeps.Eventually(t, patience, func() error {
		r, err := first.read()
		if err == nil {
			err = r.leads()
		}
		return err
	})

	first.Kill()
	sent.makes(t, s, 11, 3, 2)
	second := newCollector(t, port)
	after := second.tells(t, s, sent)
	for kind, series := range map[string][2]map[string]point{
		"histogram": {before.histograms, after.histograms}, "counter": {before.sums, after.sums}, "gauge": {before.others, after.others},
	} {
		for key, old := range series[0] {
			now, found := series[1][key]
			if !found {
				t.Errorf("the %s %s has gone", kind, key)
			}
			if kind != "gauge" && (now.StartTimeUnixNano != old.StartTimeUnixNano || now.Count < old.Count || now.AsInt < old.AsInt || now.Sum < old.Sum) {
				t.Errorf("the %s %s was\n%+v and is\n%+v", kind, key, old, now)
			}
		}
	}
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// TestCollectorMakesDeltasAndViews has a collector convert the histograms, to which views and temporality of the SDK do not
// apply: deltas that add up to the calls, by method alone.
func TestCollectorMakesDeltasAndViews(t *testing.T) {
	t.Parallel()
	port := testdeps.Port(t)
	c := newCollector(t, port, "metricstransform", "cumulativetodelta")
	s := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+testdeps.Addr(port), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_METRIC_EXPORT_INTERVAL=100")
	s.becomes("", serving)
	sent := traffic{}
	for _, n := range []int{23, 5} {
		sent.makes(t, s, n, 17, 5)
		want := map[string]uint64{}
		for call, n := range sent {
			method, _, _ := strings.Cut(call, " ")
			want["rpc.server.call.duration{rpc.method="+method+"}"] += n
		}
		testdeps.Eventually(t, patience, func() error {
			r, err := c.read()
			if err != nil {
				return err
			}
			got := map[string]uint64{}
			for key, p := range r.histograms {
				buckets := uint64(0)
				for _, n := range p.BucketCounts {
					buckets += n
				}
				if buckets != p.Count {
					return fmt.Errorf("%s: %d calls, %d in buckets", key, p.Count, buckets)
				}
				if strings.HasPrefix(key, "rpc.") {
					got[key] = p.Count
				}
			}
			if !maps.Equal(got, want) {
				return fmt.Errorf("the deltas add up to %v, the client made %v", got, want)
			}
			return nil
		})
	}
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// tells waits until a collector has heard of all calls, and compares.
func (c *otelcol) tells(t *testing.T, s *server, sent traffic) (r *received) {
	t.Helper()
	testdeps.Eventually(t, patience, func() (err error) {
		if r, err = c.read(); err != nil {
			return err
		}
		counted := traffic{}
		for _, p := range r.histograms {
			if method := p.attribute("rpc.method"); method != "" {
				counted[method+" "+p.attribute("rpc.status_code")] = p.Count
			}
		}
		if fmt.Sprint(counted) != fmt.Sprint(sent) {
			return fmt.Errorf("the collector has\n%v, the client made\n%v", counted, sent)
		}
		return nil
	})
	r.counts(t, sent)
	r.isLike(t, s.page(t))
	if len(r.sums) < 10 || len(r.others) < 20 {
		t.Errorf("only %d counters and %d gauges", len(r.sums), len(r.others))
	}
	return r
}

// counts compares the counters of calls, which are other instruments than the histograms.
func (r *received) counts(t *testing.T, sent traffic) {
	t.Helper()
	for key, p := range r.sums {
		call := p.attribute("rpc.method") + " " + p.attribute("rpc.status_code")
		if strings.HasPrefix(key, "vitals.rpc.server.calls{") && uint64(p.AsInt) != sent[call] {
			t.Errorf("%s counts %d, want %d", key, p.AsInt, sent[call])
		}
	}
}

// leads returns an error unless every point of calls has an exemplar, within its limits, of a trace that has come too.
func (r *received) leads() error {
	for key, p := range r.histograms {
		if p.attribute("rpc.method") == "" {
			continue
		}
		if len(p.Exemplars) == 0 {
			return fmt.Errorf("%s has no exemplar", key)
		}
		for _, e := range p.Exemplars {
			if !r.spans[e.TraceID] || e.AsDouble <= 0 || e.AsDouble > p.Sum || len(e.SpanID) != 16 {
				return fmt.Errorf("%s leads to %+v, the traces are %v", key, e, r.spans)
			}
		}
	}
	return nil
}

// latency is the histogram of a method, all codes together: how many calls took at most so many seconds.
type latency struct {
	count uint64
	sum   float64
	upTo  map[float64]uint64
}

// page returns the latencies that /metrics tells.
func (s *server) page(t *testing.T) map[string]latency {
	t.Helper()
	resp, err := http.Get("http://" + s.web + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	page := map[string]latency{}
	for _, m := range families["grpc_server_handling_seconds"].GetMetric() {
		labels := map[string]string{}
		for _, pair := range m.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		h := m.GetHistogram()
		l := latency{h.GetSampleCount(), h.GetSampleSum(), map[float64]uint64{}}
		for _, b := range h.GetBucket() {
			l.upTo[b.GetUpperBound()] = b.GetCumulativeCount()
		}
		page[labels["grpc_service"]+"/"+labels["grpc_method"]] = l
	}
	return page
}

// isLike compares counts, sums and buckets with those of the page. Its bounds are some of OpenTelemetry's.
func (r *received) isLike(t *testing.T, page map[string]latency) {
	t.Helper()
	collected := map[string]latency{}
	for _, p := range r.histograms {
		method := p.attribute("rpc.method")
		if method == "" {
			continue
		}
		l := collected[method]
		if l.upTo == nil {
			l.upTo = map[float64]uint64{}
		}
		l.count += p.Count
		l.sum += p.Sum
		cumulative := uint64(0)
		for i, n := range p.BucketCounts {
			cumulative += n
			if i < len(p.ExplicitBounds) {
				l.upTo[p.ExplicitBounds[i]] += cumulative
			}
		}
		l.upTo[math.Inf(1)] += cumulative
		collected[method] = l
	}
	if len(collected) == 0 {
		t.Error("no histogram was collected")
	}
	for method, l := range collected {
		told := page[method]
		if l.count != told.count || math.Abs(l.sum-told.sum) > 1e-9*told.sum || len(told.upTo) != 12 {
			t.Errorf("%s: %d calls in %v s were collected, the page has %d in %v s", method, l.count, l.sum, told.count, told.sum)
		}
		for bound, n := range told.upTo {
			if l.upTo[bound] != n {
				t.Errorf("%s: %d calls of at most %v s were collected, the page has %d", method, l.upTo[bound], bound, n)
			}
		}
	}
}
