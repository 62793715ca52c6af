package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/vitals-go/vitals/interceptor"
)

// record is middleware for net/http. The route's pattern names the operation: the path is chosen by strangers.
func record(rec *interceptor.Recorder, mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		var err error
		op := rec.Begin(r.Context(), "http", pattern)
		defer op.End(&err)
		response := &statusWriter{ResponseWriter: w}
		mux.ServeHTTP(response, r)
		err = interceptor.HTTPError(response.status)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int // 0 means 200
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Middleware for net/http: an HTTP status of 5xx is a failure, as HTTPError maps it.
func ExampleRecorder_Begin_http() {
	rec, _ := interceptor.New(interceptor.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "2" {
			http.Error(w, "database unavailable", http.StatusServiceUnavailable)
		}
	})
	server := httptest.NewServer(record(rec, mux))
	defer server.Close()
	for _, path := range []string{"/orders/1", "/orders/2", "/favicon.ico"} {
		if response, err := http.Get(server.URL + path); err == nil {
			_ = response.Body.Close()
		}
	}

	for _, m := range rec.Server().Methods {
		fmt.Println(m.Service, m.Name, m.Total.Handled, "handled,", m.Total.Failures, "failed")
	}
	// Output:
	// http GET /orders/{id} 2 handled, 1 failed
	// other other 1 handled, 0 failed
}

type job struct {
	kind string
	run  func(context.Context) error
}

// work runs jobs until there are no more.
func work(ctx context.Context, rec *interceptor.Recorder, jobs <-chan job) {
	for j := range jobs {
		_ = runJob(ctx, rec, j)
	}
}

func runJob(ctx context.Context, rec *interceptor.Recorder, j job) (err error) {
	op := rec.Begin(ctx, "jobs", j.kind)
	defer op.End(&err)
	return j.run(ctx)
}

// A worker loop: each job is an operation. Its kinds are registered, so that they are counted from 0.
func ExampleRecorder_Begin_worker() {
	rec, _ := interceptor.New(interceptor.Config{})
	rec.RegisterOperations("jobs", "invoice", "resize")
	jobs := make(chan job, 2)
	jobs <- job{"resize", func(context.Context) error { return nil }}
	jobs <- job{"resize", func(context.Context) error { return errors.New("disk full") }}
	close(jobs)
	work(context.Background(), rec, jobs)

	for _, m := range rec.Server().Methods {
		fmt.Println(m.Service, m.Name, m.Total.Handled, "handled,", m.Total.Failures, "failed")
	}
	// Output:
	// jobs invoice 0 handled, 0 failed
	// jobs resize 2 handled, 1 failed
}
