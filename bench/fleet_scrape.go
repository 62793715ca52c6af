package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/vitals-go/vitals/bench/internal/fleet"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// scrapeFacts counts what a scrape brings: of the service, of a twice as large one, and of no calls at all.
func scrapeFacts(facts map[string]float64, health *servicer.Server, service fleet.Shape) {
	page := func(methods int, config promvitals.Config) http.Handler {
		recorder := newRecorder(methods + 2)
		shape := service
		shape.Methods = methods
		callAll(recorder, shape)
		config.Source, config.Recorder = health, recorder
		collector, err := promvitals.New(config)
		if err != nil {
			panic(err)
		}
		handler, err := promvitals.Handler(collector)
		if err != nil {
			panic(err)
		}
		return handler
	}
	ordinary := page(service.Methods, promvitals.Config{})
	one, two := scrape(ordinary), scrape(page(2*service.Methods, promvitals.Config{}))
	facts["scrape_ns"] = scrapeWork(ordinary)
	facts["scrape_bytes"], facts["scrape_gzip_bytes"], facts["scrape_series"] = size(one), size(zipped(ordinary)), seriesIn(one)
	facts["method_series"] = (seriesIn(two) - seriesIn(one)) / float64(service.Methods)
	facts["method_scrape_bytes"] = (size(two) - size(one)) / float64(service.Methods)
	facts["all_codes_series"] = seriesIn(scrape(page(service.Methods, promvitals.Config{AllCodes: true})))
	facts["few_buckets_series"] = seriesIn(scrape(page(service.Methods, promvitals.Config{Buckets: fleet.FewBuckets()})))
}

// scrapeWork is how long processors work for a scrape as it goes over the wire, with pauses that are longer than what the
// page keeps: a scrape rests in between, so that a clock would not tell.
func scrapeWork(handler http.Handler) float64 {
	const scrapes = 40
	var work time.Duration
	for range scrapes {
		time.Sleep(150 * time.Millisecond)
		before := measure.CPU()
		zipped(handler)
		work += measure.CPU() - before
	}
	return float64(work / scrapes)
}

const openMetrics = "application/openmetrics-text;version=1.0.0"

// scrape is a page as Prometheus reads it.
func scrape(handler http.Handler) []byte { return body(handler, "/metrics", openMetrics) }

// zipped is a page as it goes to Prometheus over the wire.
func zipped(handler http.Handler) []byte {
	return answer(handler, "/metrics", http.Header{"Accept": {openMetrics}, "Accept-Encoding": {"gzip"}})
}

// body is what a handler answers, in plain.
func body(handler http.Handler, path, accept string) []byte {
	return answer(handler, path, http.Header{"Accept": {accept}})
}

func answer(handler http.Handler, path string, header http.Header) []byte {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
	r.Header = header
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Body.Bytes()
}

func seriesIn(page []byte) (n float64) {
	for line := range strings.Lines(string(page)) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

func size(b []byte) float64 { return float64(len(b)) }
