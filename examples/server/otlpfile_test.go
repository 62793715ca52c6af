package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// otelcol is a real OpenTelemetry Collector that writes what it gets to a file.
type otelcol struct {
	*testdeps.Process

	file  string
	delta bool
}

// newCollector starts one that takes OTLP over gRPC at a port. With processors of metrics, of which the last makes deltas,
// it converts what it gets.
func newCollector(t *testing.T, port int, processors ...string) *otelcol {
	t.Helper()
	paths := testdeps.Installed("collector")
	if len(paths) == 0 {
		t.Skip("the OpenTelemetry Collector is not installed: .ci/install builds it")
	}
	folder := t.TempDir()
	c := &otelcol{file: filepath.Join(folder, "otlp.json"), delta: len(processors) > 0}
	config := filepath.Join(folder, "collector.yml")
	err := os.WriteFile(config, fmt.Appendf(nil, `
receivers: {otlp: {protocols: {grpc: {endpoint: "%s"}}}}
exporters: {file: {path: "%s", flush_interval: 100ms}}
processors:
%s
service:
  telemetry: {logs: {level: warn}, metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], processors: [%s], exporters: [file]}
    traces: {receivers: [otlp], exporters: [file]}
`, testdeps.Addr(port), c.file, views, strings.Join(processors, ", ")), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c.Process = testdeps.Start(t, exec.Command(paths[0], "--config", config))
	// To make a delta of the first value of a series, the collector must have been there before its start time.
	testdeps.Eventually(t, patience, func() error {
		conn, err := net.Dial("tcp", testdeps.Addr(port))
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return c
}

// views are the processors of the documentation of package otelproducer, which do what views of the SDK would, and deltas.
const views = `
  metricstransform:
    transforms:
      - include: rpc.server.call.duration
        action: update
        operations:
          - {action: aggregate_labels, label_set: [rpc.method], aggregation_type: sum}
  cumulativetodelta:
`

// received is what a collector got, by the name and the attributes of each series: the newest point of each.
type received struct {
	histograms map[string]point
	sums       map[string]point // counters that only grow
	others     map[string]point // and what goes up and down
	spans      map[string]bool  // the identities of their traces
	delta      bool             // counters and histograms are deltas, which are added up
}

// point is one of a metric's, in OTLP's JSON: whole numbers come as strings.
type point struct {
	Attributes []struct {
		Key   string
		Value struct{ StringValue string }
	}
	StartTimeUnixNano string
	AsInt             int64  `json:",string"`
	Count             uint64 `json:",string"`
	Sum               float64
	BucketCounts      numbers
	ExplicitBounds    []float64
	Exemplars         []struct {
		AsDouble        float64
		TraceID, SpanID string
	}
}

// numbers are whole ones in strings.
type numbers []uint64

// UnmarshalJSON implements json.Unmarshaler.
func (n *numbers) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(bytes.ReplaceAll(text, []byte(`"`), nil), (*[]uint64)(n))
}

func (p *point) attribute(key string) string {
	for _, a := range p.Attributes {
		if a.Key == key {
			return a.Value.StringValue
		}
	}
	return ""
}

// data is a line of the collector's file.
type data struct {
	ResourceMetrics []struct {
		ScopeMetrics []struct {
			Metrics []struct {
				Name string
				Sum  struct {
					DataPoints             []point
					IsMonotonic            bool
					AggregationTemporality int
				}
				Histogram struct {
					DataPoints             []point
					AggregationTemporality int
				}
				Gauge struct{ DataPoints []point }
			}
		}
	}
	ResourceSpans []struct {
		ScopeSpans []struct {
			Spans []struct{ TraceID string }
		}
	}
}

// read reads the file. The last line may not be complete yet.
func (c *otelcol) read() (*received, error) {
	text, err := os.ReadFile(c.file)
	if err != nil {
		return nil, err
	}
	r := &received{map[string]point{}, map[string]point{}, map[string]point{}, map[string]bool{}, c.delta}
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var d data
		if err := json.Unmarshal(line, &d); err != nil {
			return nil, fmt.Errorf("%w: %s", err, line)
		}
		if err := r.add(&d); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *received) add(d *data) error {
	want := 2 // cumulative
	if r.delta {
		want = 1
	}
	for _, resource := range d.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			for _, m := range scope.Metrics {
				if m.Sum.IsMonotonic && len(m.Sum.DataPoints) > 0 && m.Sum.AggregationTemporality != want ||
					len(m.Histogram.DataPoints) > 0 && m.Histogram.AggregationTemporality != want {
					return fmt.Errorf("%s has another temporality than %d", m.Name, want)
				}
				if m.Sum.IsMonotonic {
					enter(r.sums, m.Name, m.Sum.DataPoints, r.delta)
				} else {
					enter(r.others, m.Name, m.Sum.DataPoints, false)
				}
				enter(r.others, m.Name, m.Gauge.DataPoints, false)
				enter(r.histograms, m.Name, m.Histogram.DataPoints, r.delta)
			}
		}
	}
	for _, resource := range d.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				r.spans[span.TraceID] = true
			}
		}
	}
	return nil
}

// enter keeps the newest point of each series, or adds up deltas.
func enter(to map[string]point, name string, points []point, delta bool) {
	for _, p := range points {
		var attributes []string
		for _, a := range p.Attributes {
			attributes = append(attributes, a.Key+"="+a.Value.StringValue)
		}
		slices.Sort(attributes)
		key := name + "{" + strings.Join(attributes, ",") + "}"
		if before, found := to[key]; found && delta {
			p.Count, p.AsInt, p.Sum = p.Count+before.Count, p.AsInt+before.AsInt, p.Sum+before.Sum
			for i := range p.BucketCounts {
				p.BucketCounts[i] += before.BucketCounts[i]
			}
		}
		to[key] = p
	}
}
