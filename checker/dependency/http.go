package dependency

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

// HTTPConfig configures HTTP.
type HTTPConfig struct {
	// URL, http or https. Required.
	URL string
	// Method of the request. Default GET.
	Method string
	// Header is sent with each request. "Host" sets the request's host.
	Header http.Header
	// Status lists the expected codes. Default: 200 to 299.
	Status []int
	// Contains must be in the body. Default: the body is not read.
	Contains string
	// Match must match the body. Default: none.
	Match *regexp.Regexp
	// MaxBody limits the bytes of the body that are read. Default 64 KiB.
	MaxBody int64
	// Client sends the requests. Default: one that opens a connection per request, uses no proxy and does not follow
	// redirects, which often lead to a login page.
	Client *http.Client
}

const defaultMaxBody = 64 << 10

// HTTP returns a function that sends one request and checks the response.
func HTTP(cfg HTTPConfig) (func(context.Context) error, error) {
	cfg.Method = cmp.Or(cfg.Method, http.MethodGet)
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.MaxBody = cmp.Or(cfg.MaxBody, defaultMaxBody)
	cfg.Header = cfg.Header.Clone()
	if cfg.Client == nil {
		cfg.Client = &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return cfg.run, nil
}

func (cfg HTTPConfig) validate() error {
	var mistakes []error
	add := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("dependency: HTTPConfig."+format, args...))
	}
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		add("URL: malformed; escape special characters, such as %%40 for @") // err may hold a password
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		add("URL: got scheme %q and host %q, want http://host or https://host", u.Scheme, u.Host)
	default:
		if _, err := http.NewRequestWithContext(context.Background(), cfg.Method, cfg.URL, nil); err != nil {
			add("Method: got %q: %w", cfg.Method, err)
		}
	}
	for _, code := range cfg.Status {
		if code < 100 || code > 599 {
			add("Status: got %d, want a status code", code)
		}
	}
	if cfg.MaxBody < 0 {
		add("MaxBody: got %d, want 0 or more", cfg.MaxBody)
	}
	return errors.Join(mistakes...)
}

func (cfg HTTPConfig) run(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, cfg.Method, cfg.URL, nil)
	if err != nil {
		return err
	}
	maps.Copy(request.Header, cfg.Header.Clone())
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := cfg.Client.Do(request)
	if err != nil {
		return explain(err, request.URL.Host)
	}
	defer response.Body.Close()
	if !cfg.expects(response.StatusCode) {
		return fmt.Errorf("%s %s answered %s: %s", cfg.Method, request.URL.Redacted(), response.Status, hintStatus(response))
	}
	return cfg.checkBody(response.Body, request.URL.Redacted())
}

func (cfg HTTPConfig) expects(code int) bool {
	if len(cfg.Status) == 0 {
		return code >= 200 && code <= 299
	}
	return slices.Contains(cfg.Status, code)
}

func (cfg HTTPConfig) checkBody(body io.Reader, target string) error {
	if cfg.Contains == "" && cfg.Match == nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(body, cfg.MaxBody))
	if err != nil {
		return explain(err, target)
	}
	missing := ""
	if !bytes.Contains(text, []byte(cfg.Contains)) {
		missing = strconv.Quote(cfg.Contains)
	} else if cfg.Match != nil && !cfg.Match.Match(text) {
		missing = fmt.Sprintf("a match of %q", cfg.Match)
	}
	if missing == "" {
		return nil
	}
	return fmt.Errorf("%s answered without %s in its first %d bytes: check that it is the expected service",
		target, missing, len(text))
}

func hintStatus(response *http.Response) string {
	switch code := response.StatusCode; {
	case code >= 300 && code < 400:
		return fmt.Sprintf("it redirects to %q: use that URL, or expect this status", response.Header.Get("Location"))
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		return "credentials rejected: check that they are set, right and not expired"
	case code == http.StatusNotFound, code == http.StatusGone:
		return "the path does not exist: check the URL"
	case code == http.StatusMethodNotAllowed:
		return "method not allowed: set another one"
	case code == http.StatusTooManyRequests:
		return "rate limited: raise the interval"
	case code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		return "it, or a proxy in front of it, is down or not ready: look at its health and log"
	case code >= 500:
		return "server error: check its log"
	default:
		return "unexpected status: check the URL"
	}
}
