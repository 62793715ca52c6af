package httpbreaker

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// Config says what guards a client. Exactly one of Breaker and Group is required.
type Config struct {
	// Breaker guards every request.
	Breaker *breaker.Breaker
	// Group guards each request with the breaker of its Key.
	Group *breaker.Group
	// Key chooses among Group. It must be cheap and pure. Default: the URL's host and port.
	Key func(*http.Request) string

	// Next makes the calls. Default http.DefaultTransport.
	Next http.RoundTripper

	// Classify judges a response or, if that is nil, an error. It must not touch the body. Default: Classify, see the
	// package documentation.
	Classify func(*http.Response, error) breaker.Outcome
}

// Transport is an http.RoundTripper. Create it with New.
type Transport struct{ cfg Config }

var (
	errAbandoned = errors.New("httpbreaker: the call ended without a result (panic or runtime.Goexit)")
	errNoAnswer  = errors.New("httpbreaker: no response and no error")
)

// maxSeconds keeps an absurd Retry-After from overflowing; the breaker cuts it further.
const maxSeconds = 1 << 30

// New returns a Transport, or all mistakes in cfg. It starts nothing.
func New(cfg Config) (*Transport, error) {
	var mistakes []error
	if (cfg.Breaker == nil) == (cfg.Group == nil) {
		mistakes = append(mistakes, errors.New("httpbreaker: exactly one of Breaker and Group is required"))
	}
	if cfg.Key != nil && cfg.Group == nil {
		mistakes = append(mistakes, errors.New("httpbreaker: Key needs a Group"))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if cfg.Key == nil {
		cfg.Key = func(req *http.Request) string { return req.URL.Host }
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
		b = t.cfg.Group.Get(t.cfg.Key(req))
	}
	permit, err := b.Admit(req.Context())
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	outcome, cause := breaker.Failure, errAbandoned
	defer func() { permit.SettleAs(outcome, cause) }()
	if permit.Probe() {
		req = req.WithContext(permit.Context())
	}
	resp, err := t.cfg.Next.RoundTrip(req)
	outcome, cause = t.judge(resp, err)
	if outcome == breaker.Failure {
		permit.SettleAs(outcome, cause) // It counts as it would without a hint, which can only lengthen the open time.
	}
	b.TripFor(retryAfter(resp)) // Before a neutral probe is settled: another call could slip in between.
	return resp, err
}

// judge classifies a result and says why it is a failure.
func (t *Transport) judge(resp *http.Response, err error) (breaker.Outcome, error) {
	outcome := t.cfg.Classify(resp, err)
	switch {
	case outcome != breaker.Failure || err != nil:
		return outcome, err
	case resp == nil:
		return outcome, errNoAnswer
	default:
		return outcome, errors.New("httpbreaker: the dependency answered " + resp.Status)
	}
}

// CloseIdleConnections closes those of Config.Next; http.Client.CloseIdleConnections calls it.
func (t *Transport) CloseIdleConnections() {
	if next, ok := t.cfg.Next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// Classify is the default classifier: see the package documentation.
func Classify(resp *http.Response, err error) breaker.Outcome {
	switch {
	case err != nil:
		return breaker.DefaultClassify(err)
	case resp == nil:
		return breaker.Failure
	case resp.StatusCode == http.StatusTooManyRequests:
		return breaker.Neutral
	case resp.StatusCode == http.StatusNotImplemented, resp.StatusCode == http.StatusHTTPVersionNotSupported:
		return breaker.Success
	case resp.StatusCode >= http.StatusInternalServerError:
		return breaker.Failure
	default:
		return breaker.Success
	}
}

// retryAfter returns for how long the dependency asks to be left alone (RFC 9110, section 10.2.3).
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	value := resp.Header.Get("Retry-After")
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, _ := strconv.ParseUint(value, 10, 64) // the greatest number, if there are too many digits
		return time.Duration(min(seconds, maxSeconds)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return time.Until(date)
	}
	return 0
}
