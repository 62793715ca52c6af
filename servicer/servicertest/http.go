package servicertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxBody bounds a response, in bytes.
const maxBody = 4 << 20

// httpResponse is a response that has been read and closed.
type httpResponse struct {
	code   int
	header http.Header
	body   []byte
}

func (t *tester) http(ctx context.Context, method, path string) (got httpResponse, err error) {
	ctx, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, t.target.HTTP+path, http.NoBody)
	if err != nil {
		return got, err
	}
	response, err := t.target.client.Do(request)
	if err != nil {
		return got, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return got, fmt.Errorf("%s: %w", path, err)
	}
	return httpResponse{response.StatusCode, response.Header, body}, nil
}

// httpProbe queries /path and /pathz, which answer 200 if ok(want), else 503.
func (t *tester) httpProbe(path string, ok func(state) bool) func(context.Context, state) error {
	return func(ctx context.Context, want state) error {
		for _, path := range []string{path, path + "z"} {
			got, err := t.http(ctx, http.MethodGet, path)
			if err != nil {
				return err
			}
			if want := codeOf(ok(want)); got.code != want {
				return fmt.Errorf("%s answers %d, want %d", path, got.code, want)
			}
		}
		return nil
	}
}

func codeOf(ok bool) int {
	if ok {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}

// httpHealth compares the code of /health with its document, because gRPC has no overall status.
func (t *tester) httpHealth(ctx context.Context, want state) error {
	got, err := t.http(ctx, http.MethodGet, "/health")
	if err != nil {
		return err
	}
	var document struct {
		Overall string `json:"overall_status"`
		Phase   string `json:"phase"`
	}
	if err := json.Unmarshal(got.body, &document); err != nil {
		return fmt.Errorf("/health: invalid JSON: %w", err)
	}
	ok := (document.Overall == "healthy" || document.Overall == "warning") &&
		document.Phase != "draining" && document.Phase != "stopped" && !want.draining
	if got.code != codeOf(ok) {
		return fmt.Errorf("/health answers %d, want %d for overall_status %q, phase %q", got.code, codeOf(ok), document.Overall, document.Phase)
	}
	return nil
}

// httpForm tests headers, unknown paths and methods.
func (t *tester) httpForm(ctx context.Context) {
	for _, path := range []string{"/health", "/live", "/ready", "/startup", "/health/servicertest.unknown"} {
		got, err := t.http(ctx, http.MethodGet, path)
		if err != nil {
			t.want("http.form", false, "a response from "+path, "%v", err)
			continue
		}
		store, sniff := got.header.Get("Cache-Control"), got.header.Get("X-Content-Type-Options")
		t.want("http.form", strings.Contains(store, "no-store") && sniff == "nosniff" || got.code == http.StatusNotFound,
			"no-store and nosniff from "+path, "%q and %q", store, sniff)
		if strings.HasPrefix(path, "/health/") {
			t.want("http.form", got.code == http.StatusNotFound, "404 from "+path, "%d", got.code)
		}
	}
	got, err := t.http(ctx, http.MethodPost, "/ready")
	if err != nil {
		t.want("http.form", false, "a response to POST /ready", "%v", err)
		return
	}
	t.want("http.form", got.code == http.StatusMethodNotAllowed && got.header.Get("Allow") != "",
		"405 with Allow for POST /ready", "%d, Allow %q", got.code, got.header.Get("Allow"))
}

// metricsAgree compares /metrics with Check.
func (t *tester) metricsAgree(ctx context.Context, want state) error {
	got, err := t.http(ctx, http.MethodGet, "/metrics")
	if err != nil {
		return err
	}
	if got.code != http.StatusOK {
		return fmt.Errorf("/metrics answers %d", got.code)
	}
	value := 0
	if want.ready {
		value = 1
	}
	line := fmt.Sprintf("health_status{service=%q} %d", t.readiness, value)
	if !slices.Contains(strings.Split(string(got.body), "\n"), line) {
		return fmt.Errorf("/metrics has no line %s", line)
	}
	return nil
}
