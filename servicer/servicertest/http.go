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

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 4 << 20

// answer is what came over HTTP.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

func (j *tester) http(ctx context.Context, method, path string) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, j.target.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, j.target.HTTP+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := j.target.HTTPClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &answer{response.StatusCode, response.Header, body}, nil
}

// passes wants 200 of all paths if good, and 503 if not.
func (j *tester) passes(ctx context.Context, good bool, paths ...string) error {
	want := http.StatusServiceUnavailable
	if good {
		want = http.StatusOK
	}
	for _, path := range paths {
		got, err := j.http(ctx, http.MethodGet, path)
		if err != nil {
			return err
		}
		if got.code != want {
			return fmt.Errorf("%s answers %d, want %d", path, got.code, want)
		}
	}
	return nil
}

func (j *tester) httpReady(ctx context.Context, expected expectation) error {
	return j.passes(ctx, expected.ready, "/ready", "/readyz")
}

func (j *tester) httpLive(ctx context.Context, expected expectation) error {
	return j.passes(ctx, expected.live, "/live", "/livez")
}

// httpStartup is latched: while the server drains the name startup does not serve, but start-up is over all the same.
func (j *tester) httpStartup(ctx context.Context, expected expectation) error {
	return j.passes(ctx, expected.startup || expected.duringTheDrain, "/startup", "/startupz")
}

// httpHealth compares the code of /health with its own document, because gRPC has no word for the overall status.
func (j *tester) httpHealth(ctx context.Context, expected expectation) error {
	got, err := j.http(ctx, http.MethodGet, "/health")
	if err != nil {
		return err
	}
	var document struct {
		Overall string `json:"overall_status"`
		Phase   string `json:"phase"`
	}
	if err := json.Unmarshal(got.body, &document); err != nil {
		return fmt.Errorf("/health is no JSON: %w", err)
	}
	want := http.StatusServiceUnavailable
	if (document.Overall == "healthy" || document.Overall == "warning") &&
		document.Phase != "draining" && document.Phase != "stopped" && !expected.duringTheDrain {
		want = http.StatusOK
	}
	if got.code != want {
		return fmt.Errorf("/health answers %d, want %d for overall_status %q, phase %q", got.code, want, document.Overall, document.Phase)
	}
	return nil
}

// httpForm tests what goes for all answers.
func (j *tester) httpForm(ctx context.Context) {
	for _, path := range []string{"/health", "/live", "/ready", "/startup", "/health/servicertest.nobody"} {
		got, err := j.http(ctx, http.MethodGet, path)
		j.want("http.form", err == nil, "an answer from "+path, "%v", err)
		if err != nil {
			continue
		}
		store, sniff := got.header.Get("Cache-Control"), got.header.Get("X-Content-Type-Options")
		j.want("http.form", strings.Contains(store, "no-store") && sniff == "nosniff" || got.code == http.StatusNotFound,
			"no-store and nosniff from "+path, "%q and %q", store, sniff)
		if strings.HasPrefix(path, "/health/") {
			j.want("http.form", got.code == http.StatusNotFound, "404 from "+path, "%d", got.code)
		}
	}
	got, err := j.http(ctx, http.MethodPost, "/ready")
	if err != nil {
		j.want("http.form", false, "an answer to POST /ready", "%v", err)
		return
	}
	j.want("http.form", got.code == http.StatusMethodNotAllowed && got.header.Get("Allow") != "",
		"405 with Allow for POST /ready", "%d, Allow %q", got.code, got.header.Get("Allow"))
}

// metrics compares /metrics, where it exists, with Check.
func (j *tester) metrics(ctx context.Context) {
	got, err := j.http(ctx, http.MethodGet, "/metrics")
	if err == nil && got.code == http.StatusNotFound {
		return
	}
	err = j.eventually(ctx, j.target.Timeout, func() error {
		return j.compare(ctx, endpoint{query: j.metricsAgree})
	})
	j.want("http.metrics", err == nil, "200 and what gRPC says", "%v", err)
}

func (j *tester) metricsAgree(ctx context.Context, expected expectation) error {
	got, err := j.http(ctx, http.MethodGet, "/metrics")
	if err != nil {
		return err
	}
	if got.code != http.StatusOK {
		return fmt.Errorf("/metrics answers %d", got.code)
	}
	value := "0"
	if expected.ready {
		value = "1"
	}
	line := fmt.Sprintf("health_status{service=%q} %s", j.readiness, value)
	if !slices.Contains(strings.Split(string(got.body), "\n"), line) {
		return fmt.Errorf("/metrics lacks the line %s", line)
	}
	return nil
}
