package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
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

	file string
}

// newCollector starts one that takes OTLP over gRPC at a port.
func newCollector(t *testing.T, port int) *otelcol {
	t.Helper()
	paths := testdeps.Installed("collector")
	if len(paths) == 0 {
		t.Skip("the OpenTelemetry Collector is not installed: .ci/install builds it")
	}
	folder := t.TempDir()
	c := &otelcol{file: filepath.Join(folder, "otlp.json")}
	config := filepath.Join(folder, "collector.yml")
	err := os.WriteFile(config, fmt.Appendf(nil, `
receivers: {otlp: {protocols: {grpc: {endpoint: "%s"}}}}
exporters: {file: {path: "%s", flush_interval: 100ms}}
service:
  telemetry: {logs: {level: warn}, metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [file]}
    traces: {receivers: [otlp], exporters: [file]}
`, testdeps.Addr(port), c.file), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c.Process = testdeps.Start(t, exec.Command(paths[0], "--config", config))
	return c
}

// received is what a collector got, by the name and the attributes of each series: the newest point of each.
type received struct {
	histograms map[string]point
	sums       map[string]point // counters that only grow
	others     map[string]point // and what goes up and down
	spans      map[string]bool  // the identities of their traces
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
	r := &received{map[string]point{}, map[string]point{}, map[string]point{}, map[string]bool{}}
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
	const cumulative = 2
	for _, resource := range d.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			for _, m := range scope.Metrics {
				if len(m.Sum.DataPoints) > 0 && m.Sum.AggregationTemporality != cumulative ||
					len(m.Histogram.DataPoints) > 0 && m.Histogram.AggregationTemporality != cumulative {
					return fmt.Errorf("%s is not cumulative", m.Name)
				}
				to := r.others
				if m.Sum.IsMonotonic {
					to = r.sums
				}
				enter(to, m.Name, m.Sum.DataPoints)
				enter(r.others, m.Name, m.Gauge.DataPoints)
				enter(r.histograms, m.Name, m.Histogram.DataPoints)
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

func enter(to map[string]point, name string, points []point) {
	for _, p := range points {
		var attributes []string
		for _, a := range p.Attributes {
			attributes = append(attributes, a.Key+"="+a.Value.StringValue)
		}
		slices.Sort(attributes)
		to[name+"{"+strings.Join(attributes, ",")+"}"] = p
	}
}
