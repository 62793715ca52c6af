package probes

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
)

// probeHTTP gets a URL. Redirects are answers, not orders.
func (o *probeOptions) probeHTTP(ctx context.Context) probeResult {
	transport, err := o.transport()
	if err != nil {
		return probeResult{code: exitArguments, text: "error: " + err.Error()}
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, o.connectTimeout+o.rpcTimeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := o.request(ctx)
	if err != nil {
		return probeResult{code: exitArguments, text: "error: -http: " + err.Error()}
	}
	begun := time.Now()
	answer, err := transport.RoundTrip(request)
	switch {
	case err != nil && !connected.Load():
		return probeResult{code: exitConnection, text: fmt.Sprintf("no connection to %q: %v", request.URL.Redacted(), err)}
	case err != nil:
		return probeResult{code: exitRPC, text: fmt.Sprintf("no answer from %q: %v", request.URL.Redacted(), err)}
	}
	defer answer.Body.Close()
	return evaluateHTTP(answer, time.Since(begun))
}

func evaluateHTTP(answer *http.Response, elapsed time.Duration) probeResult {
	// The first line is enough to know what fails, and a bound on what a stranger can make us print.
	body, err := io.ReadAll(io.LimitReader(answer.Body, 256))
	first, _, _ := strings.Cut(string(body), "\n")
	text := strings.TrimSpace("status: " + answer.Status + " " + line(first))
	switch well := answer.StatusCode >= 200 && answer.StatusCode < 300; {
	case answer.StatusCode == http.StatusServiceUnavailable:
		return probeResult{code: exitNotServing, text: text}
	case well && err != nil:
		return probeResult{code: exitRPC, text: fmt.Sprintf("status: %s, but the answer breaks off: %v", answer.Status, err)}
	case well:
		return probeResult{text: "status: " + answer.Status, elapsed: fmt.Sprintf("http %v", elapsed)}
	default:
		return probeResult{code: exitRPC, text: text}
	}
}

func (o *probeOptions) transport() (*http.Transport, error) {
	config, err := o.tlsConfig()
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

func (o *probeOptions) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url, nil)
	if wrong, ok := errors.AsType[*url.Error](err); ok {
		err = wrong.Err // The whole of it repeats the URL, which may hold a password.
	}
	if err != nil {
		return nil, err
	}
	if request.URL.Scheme != "http" && request.URL.Scheme != "https" || request.URL.Host == "" {
		return nil, errors.New("want http://host:port/path or https://…")
	}
	request.Header.Set("User-Agent", o.userAgent)
	for name, values := range o.headers.MD {
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
