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

func (t *tester) http(ctx context.Context, method, path string) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, t.target.HTTP+path, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	response, err := t.target.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return response, body, nil
}

// httpProbe queries /path and /pathz, which answer 200 if ok(want), else 503.
func (t *tester) httpProbe(path string, ok func(state) bool) func(context.Context, state) error {
	return func(ctx context.Context, want state) error {
		for _, path := range []string{path, path + "z"} {
			got, _, err := t.http(ctx, http.MethodGet, path) //nolint:bodyclose // http closes it.
			if err != nil {
				return err
			}
			if want := codeOf(ok(want)); got.StatusCode != want {
				return fmt.Errorf("%s answers %d, want %d", path, got.StatusCode, want)
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
	got, body, err := t.http(ctx, http.MethodGet, "/health") //nolint:bodyclose // http closes it.
	if err != nil {
		return err
	}
	var document struct {
		Overall string `json:"overall_status"`
		Phase   string `json:"phase"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return fmt.Errorf("/health: invalid JSON: %w", err)
	}
	ok := (document.Overall == "healthy" || document.Overall == "warning") &&
		document.Phase != "draining" && document.Phase != "stopped" && !want.draining
	if got.StatusCode != codeOf(ok) {
		return fmt.Errorf("/health answers %d, want %d for overall_status %q, phase %q", got.StatusCode, codeOf(ok), document.Overall, document.Phase)
	}
	return nil
}

// httpForm tests headers, unknown paths and methods.
func (t *tester) httpForm(ctx context.Context) {
	for _, path := range []string{"/health", "/live", "/ready", "/startup", "/health/servicertest.unknown"} {
		got, _, err := t.http(ctx, http.MethodGet, path)
		if err != nil {
			t.want("http.form", false, "a response from "+path, "%v", err)
			continue
		}
		store, sniff := got.Header.Get("Cache-Control"), got.Header.Get("X-Content-Type-Options")
		t.want("http.form", strings.Contains(store, "no-store") && sniff == "nosniff" || got.StatusCode == http.StatusNotFound,
			"no-store and nosniff from "+path, "%q and %q", store, sniff)
		if strings.HasPrefix(path, "/health/") {
			t.want("http.form", got.StatusCode == http.StatusNotFound, "404 from "+path, "%d", got.StatusCode)
		}
	}
	got, _, err := t.http(ctx, http.MethodPost, "/ready")
	if err != nil {
		t.want("http.form", false, "a response to POST /ready", "%v", err)
		return
	}
	t.want("http.form", got.StatusCode == http.StatusMethodNotAllowed && got.Header.Get("Allow") != "",
		"405 with Allow for POST /ready", "%d, Allow %q", got.StatusCode, got.Header.Get("Allow"))
}

// metricsAgree compares /metrics with Check.
func (t *tester) metricsAgree(ctx context.Context, want state) error {
	got, body, err := t.http(ctx, http.MethodGet, "/metrics")
	if err != nil {
		return err
	}
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("/metrics answers %d", got.StatusCode)
	}
	value := 0
	if want.ready {
		value = 1
	}
	line := fmt.Sprintf("health_status{service=%q} %d", t.readiness, value)
	if !slices.Contains(strings.Split(string(body), "\n"), line) {
		return fmt.Errorf("/metrics has no line %s", line)
	}
	return nil
}
