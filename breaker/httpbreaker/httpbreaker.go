package httpbreaker

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// Config configures a Transport. Exactly one of Breaker and BreakerFor is required.
type Config struct {
	// Breaker protects every request.
	Breaker *breaker.Breaker
	// BreakerFor returns the breaker of a request, such as one of a breaker.Group, or nil for an unprotected
	// request. It runs once per request and must be cheap.
	BreakerFor func(*http.Request) *breaker.Breaker

	// Next sends the requests. Default http.DefaultTransport.
	Next http.RoundTripper

	// Classify returns the outcome of a request. It must not use the body. Default: Classify.
	Classify func(*http.Response, error) breaker.Outcome
	// IncludeBody makes a request end when its response's body has been read or closed, not at the header. An error of Read
	// is then classified too, with a nil response, and SlowCall and MaxCallTime of the breaker apply to the whole.
	IncludeBody bool
}

// Transport is an http.RoundTripper. Create it with New.
type Transport struct{ cfg Config }

var (
	errAbandoned  = errors.New("httpbreaker: call ended without a result (panic or runtime.Goexit)")
	errNoResponse = errors.New("httpbreaker: no response and no error")
)

// maxSeconds limits Retry-After, so that it does not overflow a time.Duration.
const maxSeconds = 1 << 30

// New returns a Transport, or an error for an invalid cfg. It starts nothing.
func New(cfg Config) (*Transport, error) {
	if (cfg.Breaker == nil) == (cfg.BreakerFor == nil) {
		return nil, errors.New("httpbreaker: exactly one of Breaker and BreakerFor is required")
	}
	if cfg.Next == nil {
		cfg.Next = http.DefaultTransport
	}
	if cfg.Classify == nil {
		cfg.Classify = Classify
	}
	return &Transport{cfg: cfg}, nil
}

// RoundTrip implements http.RoundTripper. A rejection is a *breaker.OpenError, which http.Client wraps in *url.Error.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	b := t.cfg.Breaker
	if b == nil {
		if b = t.cfg.BreakerFor(req); b == nil {
			return t.cfg.Next.RoundTrip(req)
		}
	}
	permit, err := b.Allow(req.Context())
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	outcome, cause, ended := breaker.Failure, errAbandoned, true
	defer func() {
		if ended {
			permit.Record(outcome, cause)
		}
	}()
	if permit.Probe() {
		req = req.WithContext(permit.Context())
	}
	resp, err := t.cfg.Next.RoundTrip(req)
	outcome, cause = t.outcome(resp, err)
	if ended = !t.awaitsBody(resp, outcome); !ended {
		resp.Body = &body{ReadCloser: resp.Body, transport: t, permit: &permit, outcome: outcome}
	}
	if outcome == breaker.Failure {
		permit.Record(outcome, cause) // Before TripFor, which can then only lengthen the open time.
	}
	if outcome != breaker.Success {
		b.TripFor(retryAfter(resp)) // Before a neutral probe ends: another request could run in between.
	}
	return resp, err
}

// awaitsBody reports whether a request has not ended with its header.
func (t *Transport) awaitsBody(resp *http.Response, outcome breaker.Outcome) bool {
	return t.cfg.IncludeBody && outcome != breaker.Failure && resp != nil && resp.Body != nil && resp.Body != http.NoBody &&
		resp.StatusCode != http.StatusSwitchingProtocols // whose body is a connection, and also an io.Writer
}

// body records a request when its response has been read.
type body struct {
	io.ReadCloser

	transport *Transport
	permit    *breaker.Permit
	outcome   breaker.Outcome // of the header
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch err { // a wrapped io.EOF is a failure
	case nil:
	case io.EOF:
		b.permit.Record(b.outcome, nil)
	default:
		b.permit.Record(b.transport.outcome(nil, err))
	}
	return n, err
}

// Close implements io.Closer. A body that was closed early counts as its header.
func (b *body) Close() error {
	b.permit.Record(b.outcome, nil)
	return b.ReadCloser.Close()
}

// outcome returns the outcome of a request and the cause of a failure.
func (t *Transport) outcome(resp *http.Response, err error) (breaker.Outcome, error) {
	outcome := t.cfg.Classify(resp, err)
	switch {
	case outcome != breaker.Failure || err != nil:
		return outcome, err
	case resp == nil:
		return outcome, errNoResponse
	default:
		return outcome, errors.New("httpbreaker: response " + resp.Status)
	}
}

// CloseIdleConnections closes the idle connections of Config.Next, for http.Client.CloseIdleConnections.
func (t *Transport) CloseIdleConnections() {
	if next, ok := t.cfg.Next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// Classify is the default of Config.Classify: see Outcomes in the package documentation.
func Classify(resp *http.Response, err error) breaker.Outcome {
	switch {
	case err != nil:
		return breaker.DefaultClassify(err)
	case resp == nil:
		return breaker.Failure
	}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests:
		return breaker.Neutral
	case code < 500, code == http.StatusNotImplemented, code == http.StatusHTTPVersionNotSupported:
		return breaker.Success
	default:
		return breaker.Failure
	}
}

// retryAfter returns the delay of a Retry-After header (RFC 9110, section 10.2.3); 0 without one.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	value := resp.Header.Get("Retry-After")
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, _ := strconv.ParseUint(value, 10, 64) // the maximum on overflow
		return time.Duration(min(seconds, maxSeconds)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return time.Until(date)
	}
	return 0
}
