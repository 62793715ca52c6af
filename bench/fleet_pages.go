package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/bench/internal/fleet"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// pageFacts weighs what people and tools read: the report in its forms, and a page that stays open.
func pageFacts(facts map[string]float64, health *servicer.Server, recorder *interceptor.Recorder) {
	handler, err := probes.NewHandler(probes.HandlerConfig{Source: health})
	if err != nil {
		panic(err)
	}
	facts["json_bytes"] = size(body(handler, "/health", "application/json"))
	facts["page_bytes"] = size(body(handler, "/health", "text/html")) + size(body(handler, "/health?file=page.css", "text/css")) +
		size(body(handler, "/health?file=page.js", "*/*"))
	report, err := reportServer(health).GetHealthReport(context.Background(), &vitalspb.HealthReportRequest{})
	if err != nil {
		panic(err)
	}
	facts["report_bytes"] = float64(proto.Size(report))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // a little traffic, so that there is news
		for ctx.Err() == nil {
			callAll(recorder, fleet.Service())
			time.Sleep(100 * time.Millisecond)
		}
	}()
	facts["events_bytes_per_s"] = eventBytes(handler, 4*time.Second)
}

// eventBytes is what an open status page receives in a second, after it has got everything once.
func eventBytes(handler http.Handler, long time.Duration) float64 {
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/health", nil)
	r.Header.Set("Accept", "text/event-stream")
	w := &counter{ResponseRecorder: httptest.NewRecorder()}
	done := make(chan struct{})
	go func() { defer close(done); handler.ServeHTTP(w, r) }()
	time.Sleep(500 * time.Millisecond)
	first := w.n.Load()
	time.Sleep(long)
	n := w.n.Load() - first
	cancel()
	<-done
	return float64(n) / long.Seconds()
}

// counter counts what is written to it.
type counter struct {
	*httptest.ResponseRecorder
	n atomic.Int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}

// SetWriteDeadline is required by a stream.
func (*counter) SetWriteDeadline(time.Time) error { return nil }
