package probes_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/probes"
)

// FuzzRawRequests gives what may come over a connection to the handler, parsed as net/http does it.
func FuzzRawRequests(f *testing.F) {
	for _, endpoint := range endpoints() {
		f.Add([]byte("GET " + endpoint + " HTTP/1.1\r\nHost: a\r\n\r\n"))
		f.Add([]byte("HEAD " + endpoint + " HTTP/1.0\r\nAccept: application/health+json;q=0.1, */*\r\n\r\n"))
	}
	for _, raw := range []string{
		"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://evil.example/ready?verbose&exclude=%0a[%2b]database+ok HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /ready?verbose&exclude=%3Cscript%3E&exclude=\"'&exclude=%ff HTTP/1.1\r\nHost: <b>\r\n\r\n",
		"GET /health?format=html&exclude=<x>&;;%zz HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n",
		"GET /health HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n", "GET /health/%2e%2e/live HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /health/<svg> HTTP/1.1\r\nHost: a\r\n\r\n", "GET //health HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n",
		"GET /live?" + strings.Repeat("q", 5000) + " HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT /health HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		f.Add([]byte(raw))
	}
	h := newHandler(f, probes.HandlerConfig{Source: newScript(criticalReport())})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil || bytes.Contains(raw, []byte(secret)) {
			t.Skip()
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(canceled()))
		answer := w.Result()
		body, _ := io.ReadAll(answer.Body)
		if allowed := allowedFor(r); !slices.Contains(allowed, answer.StatusCode) {
			t.Errorf("%s %q = %d, want one of %d", r.Method, r.URL, answer.StatusCode, allowed)
		}
		mustBeGuarded(t, r, answer, body)
		mustNotReflect(t, r, answer.Header.Get("Content-Type"), body)
	})
}

// allowedFor says what a request may be answered with while the report is critical because of the database.
func allowedFor(r *http.Request) []int {
	const ok, down, missing = http.StatusOK, http.StatusServiceUnavailable, http.StatusNotFound
	answers := map[string][]int{
		"/health": {down}, "/health/badge.svg": {ok}, "/health/config.json": {ok}, "/live": {ok}, "/livez": {ok}, "/startup": {ok}, "/startupz": {ok},
		"/ready": {down}, "/readyz": {down}, "/health/database": {down}, "/health/dependency_database": {down},
		"/health/breaker_database": {down}, "/health/cache": {ok}, "/health/dependency_cache": {ok}, "/health/cpu_usage": {ok},
	}
	allowed, known := answers[r.URL.Path]
	switch {
	case !known && (!strings.HasPrefix(r.URL.Path, "/health/") || r.URL.Path == "/health/"):
		return []int{missing}
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return []int{http.StatusMethodNotAllowed}
	case len(r.URL.RawQuery) > 4096:
		return []int{http.StatusRequestURITooLong}
	case !known:
		return []int{missing}
	case strings.HasPrefix(r.URL.Path, "/ready") && slices.Contains(r.URL.Query()["exclude"], "database"),
		r.URL.Path == "/health" && strings.Contains(strings.ToLower(strings.Join(r.Header["Accept"], ",")), "event-stream"):
		return []int{ok, down}
	}
	return allowed
}

// mustBeGuarded compares the headers with what every answer must carry, and the body with its type.
func mustBeGuarded(t *testing.T, r *http.Request, answer *http.Response, body []byte) {
	t.Helper()
	header := answer.Header
	if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", header)
	}
	if answer.StatusCode == http.StatusMethodNotAllowed && header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow is %q", header.Get("Allow"))
	}
	if r.Method == http.MethodHead {
		if len(body) != 0 {
			t.Errorf("HEAD is answered with %q", body)
		}
		return
	}
	if kind := header.Get("Content-Type"); kind != "text/event-stream" && header.Get("Content-Length") != strconv.Itoa(len(body)) {
		t.Errorf("Content-Length is %s, the body has %d bytes", header.Get("Content-Length"), len(body))
	}
	switch kind := header.Get("Content-Type"); kind {
	case "application/json", "application/health+json":
		if !json.Valid(body) {
			t.Errorf("no JSON: %q", body)
		}
	case "text/html; charset=utf-8":
		if header.Get("Content-Security-Policy") == "" || header.Get("Referrer-Policy") == "" {
			t.Errorf("headers of the page: %v", header)
		}
	case "image/svg+xml":
		if err := xml.Unmarshal(body, new(struct{})); err != nil {
			t.Errorf("no SVG: %v", err)
		}
	case "text/plain; charset=utf-8", "text/event-stream":
	default:
		t.Errorf("Content-Type is %q", kind)
	}
	if bytes.Contains(body, []byte(secret)) {
		t.Error("the answer shows the secret")
	}
}

// textLine is what a line of a plain answer may be. A name that the caller chose appears in quotation marks only.
var textLine = regexp.MustCompile(`^(ok|\[[+ -]\](database|cache)( .*)?|warning: exclude="([^"\\]|\\.)*" matches no check of this probe|` +
	`database|(livez|readyz|startupz) check (passed|failed)|metrics are off: .*|Found|Not Found|Method Not Allowed|Request URI Too Long|Service Unavailable)$`)

// mustNotReflect looks for what the caller sent in what it gets.
func mustNotReflect(t *testing.T, r *http.Request, kind string, body []byte) {
	t.Helper()
	if strings.HasPrefix(kind, "text/plain") {
		for line := range strings.SplitSeq(strings.TrimSuffix(string(body), "\n"), "\n") {
			if !textLine.MatchString(line) && r.Method != http.MethodHead {
				t.Errorf("the answer to %q has the line %q", r.URL, line)
			}
		}
		return
	}
	words := []string{r.Host, r.URL.Path, r.URL.RawQuery, r.URL.Fragment, r.Method, r.UserAgent(), r.Referer()}
	for _, values := range r.URL.Query() {
		words = append(words, values...)
	}
	for _, word := range words {
		if strings.ContainsAny(word, `<>"'&`) && len(word) > 8 && bytes.Contains(body, []byte(word)) {
			t.Errorf("%q is reflected as %s", word, kind)
		}
	}
}
