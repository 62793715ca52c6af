package httpbreaker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/httpbreaker"
)

// including returns a client whose requests end with their body.
func including(t *testing.T, cfg breaker.Config, next http.RoundTripper) (*breaker.Breaker, *http.Client) {
	t.Helper()
	cfg.Name, cfg.Jitter = "prices", -1
	b, err := breaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := httpbreaker.New(httpbreaker.Config{Breaker: b, Next: next, IncludeBody: true})
	if err != nil {
		t.Fatal(err)
	}
	return b, &http.Client{Transport: transport}
}

// TestBodiesThatFailOrStallCount uses a real server, which sends a header, half of a body and then nothing more.
func TestBodiesThatFailOrStallCount(t *testing.T) {
	stalls := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "12345")
		w.(http.Flusher).Flush()
		switch r.URL.Path {
		case "/stalls":
			<-stalls
		case "/fails":
			panic(http.ErrAbortHandler)
		default:
			_, _ = io.WriteString(w, "67890")
		}
	}))
	defer server.Close()
	defer close(stalls)
	for path, want := range map[string]breaker.Calls{"/works": {Successes: 1}, "/fails": {Failures: 1}, "/stalls": {Failures: 1}} {
		next := &http.Transport{}
		defer next.CloseIdleConnections()
		b, client := including(t, breaker.Config{MinDeadline: -1}, next)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if path == "/stalls" {
			ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
		}
		defer cancel()
		resp, err := client.Do(request(ctx, t, server.URL+path))
		if err != nil {
			t.Fatal(err)
		}
		if calls := b.Snapshot().Calls; calls != (breaker.Calls{}) {
			t.Errorf("%s: %+v before the body was read", path, calls)
		}
		_, _ = io.ReadAll(resp.Body)
		resp.Body.Close()
		if calls := b.Snapshot().Calls; calls != want {
			t.Errorf("%s: %+v, want %+v", path, calls, want)
		}
	}
}

func TestBodiesEndTheirRequest(t *testing.T) {
	broken := func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("half"), errReader{}))}, nil
	}
	wrapped := func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(iotest.ErrReader(fmt.Errorf("connection lost: %w", io.EOF)))}, nil
	}
	for name, tt := range map[string]struct {
		next  roundTrip
		use   func(io.ReadCloser)
		calls breaker.Calls
	}{
		"read to the end":  {answer(200), func(b io.ReadCloser) { _, _ = io.ReadAll(b) }, breaker.Calls{Successes: 1}},
		"read and closed":  {answer(200), func(b io.ReadCloser) { _, _ = io.ReadAll(b); b.Close() }, breaker.Calls{Successes: 1}},
		"closed unread":    {answer(200), func(b io.ReadCloser) { b.Close(); b.Close() }, breaker.Calls{Successes: 1}},
		"neither":          {answer(200), func(io.ReadCloser) {}, breaker.Calls{}},
		"neutral":          {answer(429), func(b io.ReadCloser) { b.Close() }, breaker.Calls{Neutral: 1}},
		"fails":            {broken, func(b io.ReadCloser) { _, _ = io.ReadAll(b); b.Close() }, breaker.Calls{Failures: 1}},
		"fails, wrapped":   {wrapped, func(b io.ReadCloser) { _, _ = io.ReadAll(b) }, breaker.Calls{Failures: 1}},
		"failed at header": {answer(503), func(io.ReadCloser) {}, breaker.Calls{Failures: 1}},
		"an upgrade":       {answer(101), func(io.ReadCloser) {}, breaker.Calls{Successes: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b, client := including(t, breaker.Config{}, tt.next)
			resp, err := client.Transport.RoundTrip(request(t.Context(), t, "http://a.example"))
			if err != nil {
				t.Fatal(err)
			}
			tt.use(resp.Body)
			if calls := b.Snapshot().Calls; calls != tt.calls {
				t.Errorf("%+v, want %+v", calls, tt.calls)
			}
		})
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestSlowBodiesAreSlowCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, client := including(t, breaker.Config{SlowCall: time.Second}, answer(200))
		resp, err := client.Do(request(t.Context(), t, "http://a.example"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		resp.Body.Close()
		if calls := b.Snapshot().Calls; calls.Slow != 1 {
			t.Errorf("%+v, want a slow call", calls)
		}
	})
}

// A hint of a response that the user's Classify calls a success is none.
func TestRetryAfterOfSuccessDoesNotOpen(t *testing.T) {
	for _, code := range []int{429, 503} {
		for _, outcome := range []breaker.Outcome{breaker.Success, breaker.Neutral, breaker.Failure} {
			b, err := breaker.New(breaker.Config{Name: "prices"})
			if err != nil {
				t.Fatal(err)
			}
			transport, err := httpbreaker.New(httpbreaker.Config{
				Breaker: b, Next: answer(code, "Retry-After", "60"),
				Classify: func(*http.Response, error) breaker.Outcome { return outcome },
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := transport.RoundTrip(request(t.Context(), t, "http://a.example")); err != nil {
				t.Fatal(err)
			}
			if open := b.State() == breaker.Open; open != (outcome != breaker.Success) {
				t.Errorf("%d, %v: open %v", code, outcome, open)
			}
		}
	}
}
