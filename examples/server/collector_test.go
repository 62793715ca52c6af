package main_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// collector takes OTLP over gRPC and remembers the newest value of each series.
type collector struct {
	metricspb.UnimplementedMetricsServiceServer

	mu     sync.Mutex
	calls  map[string]calls // of rpc.server.call.duration, by method and code
	states map[string]int64 // of sums, by name and attributes
	spans  map[string]int   // by name
}

// calls are one point of a histogram.
type calls struct {
	start uint64
	count uint64
}

// traces is the other half of a collector: both services have a method called Export.
type traces struct {
	tracepb.UnimplementedTraceServiceServer

	*collector
}

// collect serves a collector on lis until stop is called.
func collect(t *testing.T, lis net.Listener) (c *collector, stop func()) {
	t.Helper()
	c = &collector{calls: map[string]calls{}, states: map[string]int64{}, spans: map[string]int{}}
	server := grpc.NewServer()
	metricspb.RegisterMetricsServiceServer(server, c)
	tracepb.RegisterTraceServiceServer(server, traces{collector: c})
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(lis) })
	stop = sync.OnceFunc(func() { server.Stop(); serving.Wait() })
	t.Cleanup(stop)
	return c, stop
}

// Export implements the service for metrics.
func (c *collector) Export(_ context.Context, request *metricspb.ExportMetricsServiceRequest) (*metricspb.ExportMetricsServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.GetResourceMetrics() {
		for _, scope := range resource.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				for _, p := range m.GetHistogram().GetDataPoints() {
					if m.GetName() == "rpc.server.call.duration" {
						key := attribute(p.GetAttributes(), "rpc.method") + " " + attribute(p.GetAttributes(), "rpc.status_code")
						c.calls[key] = calls{p.GetStartTimeUnixNano(), p.GetCount()}
					}
				}
				for _, p := range m.GetSum().GetDataPoints() {
					var key strings.Builder
					key.WriteString(m.GetName())
					for _, a := range p.GetAttributes() {
						key.WriteString(" " + a.GetValue().GetStringValue())
					}
					c.states[key.String()] = p.GetAsInt()
				}
			}
		}
	}
	return &metricspb.ExportMetricsServiceResponse{}, nil
}

// Export implements the service for spans.
func (c traces) Export(_ context.Context, request *tracepb.ExportTraceServiceRequest) (*tracepb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans[span.GetName()]++
			}
		}
	}
	return &tracepb.ExportTraceServiceResponse{}, nil
}

func attribute(all []*commonpb.KeyValue, key string) string {
	for _, a := range all {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// comes waits until so many calls have come and returns since when they count.
func (c *collector) comes(t *testing.T, key string, want uint64) (start uint64) {
	t.Helper()
	testdeps.Eventually(t, patience, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if got := c.calls[key]; got.count != want {
			return fmt.Errorf("%d calls of %s came, want %d: %v", got.count, key, want, c.calls)
		}
		start = c.calls[key].start
		return nil
	})
	return start
}

// TestCollector has a collector that goes and comes back: what happened in between is not lost, because everything is
// told as a sum since one moment.
func TestCollector(t *testing.T) {
	t.Parallel()
	port := testdeps.Port(t)
	lis, err := testdeps.Listen(t, port)
	if err != nil {
		t.Fatal(err)
	}
	first, stop := collect(t, lis)
	s := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+lis.Addr().String(), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_METRIC_EXPORT_INTERVAL=100", "OTEL_BSP_SCHEDULE_DELAY=100")
	s.becomes("", serving)
	s.putAll(t, "bolt", "nut")
	const put, get = "inventory.v1.Inventory/Put OK", "inventory.v1.Inventory/Get NOT_FOUND"
	since := first.comes(t, put, 2)
	stop()
	s.putAll(t, "washer")
	if _, err := s.get("nothing"); err == nil {
		t.Error("what nobody put is there")
	}
	if lis, err = testdeps.Listen(t, port); err != nil {
		t.Fatal(err)
	}
	second, _ := collect(t, lis)
	if again := second.comes(t, put, 3); again != since {
		t.Errorf("the calls count since %d, and before since %d", again, since)
	}
	second.comes(t, get, 1)
	testdeps.Eventually(t, patience, func() error {
		second.mu.Lock()
		defer second.mu.Unlock()
		if second.states["vitals.check.status database healthy"] != 1 || second.states["vitals.phase ready"] != 1 || second.spans["health.check"] == 0 {
			return fmt.Errorf("%v\n%v", second.states, second.spans)
		}
		return nil
	})
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func (s *server) putAll(t *testing.T, skus ...string) {
	t.Helper()
	for _, sku := range skus {
		if err := s.put(sku); err != nil {
			t.Fatal(err)
		}
	}
}
