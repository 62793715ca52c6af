package healthcheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/probes/internal/response"
)

// probeHTTP gets a URL. It does not follow redirects.
func (o *options) probeHTTP(ctx context.Context) result {
	ctx, cancel := context.WithTimeout(ctx, o.connectTimeout+o.rpcTimeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := o.request(ctx)
	if err != nil {
		return result{code: exitArguments, text: "error: -http: " + err.Error()}
	}
	transport, err := o.transport(request.URL.Hostname())
	if err != nil {
		return result{code: exitArguments, text: "error: " + err.Error()}
	}
	defer transport.CloseIdleConnections()
	start := time.Now()
	answer, err := transport.RoundTrip(request)
	switch {
	case err != nil && !connected.Load():
		return result{code: exitConnection, text: fmt.Sprintf("no connection to %q: %v", request.URL.Redacted(), err)}
	case err != nil:
		return result{code: exitRPC, text: fmt.Sprintf("no response from %q: %v", request.URL.Redacted(), err)}
	}
	defer answer.Body.Close()
	return resultOf(answer, time.Since(start))
}

func resultOf(answer *http.Response, elapsed time.Duration) result {
	// The first line names the failure; the rest is not printed.
	body, err := io.ReadAll(io.LimitReader(answer.Body, 256))
	first, _, _ := strings.Cut(string(body), "\n")
	text := strings.TrimSpace("status: " + answer.Status + " " + response.Line(first))
	switch success := answer.StatusCode >= 200 && answer.StatusCode < 300; {
	case answer.StatusCode == http.StatusServiceUnavailable:
		return result{code: exitNotServing, text: text}
	case success && err != nil:
		return result{code: exitRPC, text: fmt.Sprintf("status: %s, but the body broke off: %v", answer.Status, err)}
	case success:
		return result{text: "status: " + answer.Status, elapsed: fmt.Sprintf("http %v", elapsed)}
	default:
		return result{code: exitRPC, text: text}
	}
}

func (o *options) transport(host string) (*http.Transport, error) {
	config, err := o.tlsConfig(host)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: o.connectTimeout}).DialContext,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   o.connectTimeout,
		ResponseHeaderTimeout: o.rpcTimeout,
		DisableKeepAlives:     true,
	}, nil
}

func (o *options) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url, nil)
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		err = withURL.Err // without the URL, which may hold a password
	}
	if err != nil {
		return nil, err
	}
	if request.URL.Scheme != "http" && request.URL.Scheme != "https" || request.URL.Host == "" {
		return nil, errors.New("want http://host:port/path or https://…")
	}
	request.Header.Set("User-Agent", o.userAgent)
	for name, values := range o.headers {
		for _, value := range values {
			request.Header.Add(name, value)
		}
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	if user := request.URL.User; user != nil && request.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	return request, nil
}
