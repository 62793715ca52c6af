package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	alexliesenfeld "github.com/alexliesenfeld/health"
	hellofresh "github.com/hellofresh/health-go/v5"

	"github.com/vitals-go/vitals/bench/internal/measure"
)

// discard is a ResponseWriter that costs as little as one can.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// requests repeats a request of one path, without a network.
func requests(handler http.Handler, path string) measure.Subject {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
	w := &discard{header: http.Header{}}
	return func(n int) {
		for range n {
			handler.ServeHTTP(w, request)
		}
	}
}

// alexHandler answers from a cache of a second, which is that library's way to be cheap.
func alexHandler(n int) http.Handler {
	options := []alexliesenfeld.CheckerOption{alexliesenfeld.WithCacheDuration(time.Second)}
	for i := range n {
		options = append(options, alexliesenfeld.WithCheck(alexliesenfeld.Check{
			Name: fmt.Sprintf("check%d", i), Check: func(context.Context) error { return nil },
		}))
	}
	return alexliesenfeld.NewHandler(alexliesenfeld.NewChecker(options...))
}

// helloHandler runs its checks for every request, as that library always does.
func helloHandler(n int) http.Handler {
	h, err := hellofresh.New()
	if err != nil {
		panic(err)
	}
	for i := range n {
		if err := h.Register(hellofresh.Config{Name: fmt.Sprintf("check%d", i), Check: func(context.Context) error { return nil }}); err != nil {
			panic(err)
		}
	}
	return h.Handler()
}
