package httpbreaker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/httpbreaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// body records whether it was read and closed.
type body struct {
	io.Reader
	read, closed bool
}

func (b *body) Read(p []byte) (int, error) { b.read = true; return b.Reader.Read(p) }

func (b *body) Close() error { b.closed = true; return nil }

func answer(code int, header ...string) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Status: fmt.Sprint(code), Header: h, Body: &body{Reader: strings.NewReader("hello")}}, nil
	}
}

func protect(t *testing.T, next http.RoundTripper) (*breaker.Breaker, *httpbreaker.Transport) {
	t.Helper()
	b, err := breaker.New(breaker.Config{Name: "prices", Jitter: -1})
	if err != nil {
		t.Fatal(err)
	}
	transport, err := httpbreaker.New(httpbreaker.Config{Breaker: b, Next: next})
	if err != nil {
		t.Fatal(err)
	}
	return b, transport
}

func request(ctx context.Context, t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, &body{Reader: strings.NewReader("request")})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestResponsesAreClassifiedAndReturnedUnchanged(t *testing.T) {
	for code, want := range map[int]breaker.Calls{
		200: {Successes: 1}, 304: {Successes: 1}, 404: {Successes: 1}, 429: {Neutral: 1},
		500: {Failures: 1}, 501: {Successes: 1}, 502: {Failures: 1}, 503: {Failures: 1}, 504: {Failures: 1}, 505: {Successes: 1},
	} {
		b, transport := protect(t, answer(code))
		resp, err := transport.RoundTrip(request(t.Context(), t, "http://a.example"))
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Body.(*body); got.read || got.closed {
			t.Errorf("%d: the response's body was touched", code)
		}
		if calls := b.Snapshot().Calls; calls != want {
			t.Errorf("%d: %+v, want %+v", code, calls, want)
		}
	}
}

func TestTransportErrorsAreFailuresUnlessCanceled(t *testing.T) {
	b, transport := protect(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		return nil, errors.New("connection reset")
	}))
	_, _ = transport.RoundTrip(request(t.Context(), t, "http://a.example"))
	ctx, cancel := context.WithCancel(t.Context())
	transportCancel := roundTrip(func(*http.Request) (*http.Response, error) { cancel(); return nil, errors.New("connection reset") })
	b2, transport2 := protect(t, transportCancel)
	_, _ = transport2.RoundTrip(request(ctx, t, "http://a.example"))
	if b.Snapshot().Calls.Failures != 1 || b2.Snapshot().Calls.Neutral != 1 {
		t.Fatalf("%+v and %+v", b.Snapshot().Calls, b2.Snapshot().Calls)
	}
}

func TestRejectionClosesTheRequestsBody(t *testing.T) {
	b, transport := protect(t, answer(200))
	b.ForceOpen("test")
	req := request(t.Context(), t, "http://a.example")
	resp, err := transport.RoundTrip(req)
	if resp != nil || !breaker.IsRejected(err) || !req.Body.(*body).closed {
		t.Fatalf("%v, %v, body closed: %v", resp, err, req.Body.(*body).closed)
	}
	client := &http.Client{Transport: transport}
	if _, err := client.Get("http://a.example"); !breaker.IsRejected(err) {
		t.Fatalf("%v is not recognized through the client", err)
	}
}

func TestRetryAfterSetsTheOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat)
		for _, test := range []struct {
			code  int
			value string
			want  time.Duration
		}{
			{429, "20", 20 * time.Second},
			{503, date, 40 * time.Second},
			{503, "99999999999999999", 5 * time.Minute},
			{429, "-5", 0},
			{429, "soon", 0},
			{429, "", 0},
			{200, "20", 0},
		} {
			b, transport := protect(t, answer(test.code, "Retry-After", test.value))
			_, _ = transport.RoundTrip(request(t.Context(), t, "http://a.example"))
			var wait time.Duration
			if s := b.Snapshot(); s.State == breaker.Open {
				wait = time.Until(s.RetryAt)
			}
			if wait != test.want {
				t.Errorf("%d with %q: open for %v, want %v", test.code, test.value, wait, test.want)
			}
		}
	})
}

// A hint is a minimum: the open time must not be shorter than without it. For a 429, which is no failure, the hint is
// the open time.
func TestShortRetryHintDoesNotShortenTheOpenTime(t *testing.T) {
	for code, want := range map[int][]time.Duration{
		503: {time.Second, 10 * time.Second, 20 * time.Second},
		429: {time.Second, time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, transport := protect(t, answer(code, "Retry-After", "1"))
			for _, wait := range want {
				_, _ = transport.RoundTrip(request(t.Context(), t, "http://a.example"))
				if s := b.Snapshot(); s.State != breaker.Open || time.Until(s.RetryAt) != wait {
					t.Fatalf("%d: %v, next try in %v, want %v", code, s.State, time.Until(s.RetryAt), wait)
				}
				time.Sleep(wait)
				synctest.Wait()
			}
		})
	}
}

func TestClientsTimeoutIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, transport := protect(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			select {
			case <-req.Context().Done():
				return nil, req.Context().Err()
			case <-req.Cancel: //nolint:staticcheck // http.Client still uses it.
				return nil, errors.New("request canceled")
			}
		}))
		client := &http.Client{Transport: transport, Timeout: time.Second}
		for range 5 {
			resp, err := client.Get("http://a.example")
			if err == nil {
				resp.Body.Close()
				t.Fatal("no error")
			}
		}
		if s := b.Snapshot(); s.State != breaker.Open {
			t.Fatalf("%+v, want open", s)
		}
	})
}

func TestProbeIsPartOfTheRequestsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *breaker.Breaker
		b, transport := protect(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			if _, err := b.Allow(req.Context()); err != nil { // A redirect, or a token fetched through the same client.
				return nil, err
			}
			return answer(200)(req)
		}))
		b.TripFor(time.Second)
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := transport.RoundTrip(request(t.Context(), t, "http://a.example")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPanicOfTheTransportIsAFailure(t *testing.T) {
	b, transport := protect(t, roundTrip(func(*http.Request) (*http.Response, error) { panic("boom") }))
	func() {
		defer func() { _ = recover() }()
		_, _ = transport.RoundTrip(request(t.Context(), t, "http://a.example"))
	}()
	if calls := b.Snapshot().Calls; calls.Failures != 1 {
		t.Fatalf("%+v", calls)
	}
}

func ExampleNew() {
	hosts, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "partners"}})
	if err != nil {
		panic(err)
	}
	transport, err := httpbreaker.New(httpbreaker.Config{
		BreakerFor: func(req *http.Request) *breaker.Breaker { return hosts.Get(req.URL.Host) },
		Next:       roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }),
	})
	if err != nil {
		panic(err)
	}
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	for range 6 {
		_, err = client.Get("http://sick.example/prices")
	}
	fmt.Println(err)
	_, err = client.Get("http://other.example/prices")
	fmt.Println(err)
	// Output:
	// Get "http://sick.example/prices": circuit breaker partners/sick.example is open
	// Get "http://other.example/prices": connection refused
}
