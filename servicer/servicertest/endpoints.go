package servicertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// endpoint is an endpoint beside gRPC. Its query returns an error if the endpoint disagrees with gRPC.
type endpoint struct {
	rule  string
	query func(ctx context.Context, want state) error
}

// state is the state of the server, as reported over gRPC.
type state struct{ ready, live, started, draining bool }

// endpoints tests that every endpoint agrees with gRPC and is well-formed.
func (t *tester) endpoints(ctx context.Context) {
	for _, e := range t.allEndpoints() {
		err := t.eventually(ctx, func() error { return t.compare(ctx, e) })
		if ctx.Err() != nil {
			return
		}
		t.want(e.rule, err == nil, "the status of gRPC", "%v", err)
	}
	if t.target.HTTP != "" {
		t.httpForm(ctx)
		if got, err := t.http(ctx, http.MethodGet, "/metrics"); err != nil || got.code != http.StatusNotFound {
			err = t.eventually(ctx, func() error { return t.compare(ctx, endpoint{query: t.metricsAgree}) })
			t.want("http.metrics", err == nil, "200 and the status of gRPC", "%v", err)
		}
	}
	if t.target.File != "" {
		err := t.eventually(ctx, func() error { _, err := readFile(t.target.File, time.Now()); return err })
		t.want("file.form", err == nil, "a valid health file", "%v", err)
	}
}

func (t *tester) allEndpoints() []endpoint {
	var all []endpoint
	if t.target.HTTP != "" {
		all = []endpoint{
			{"http.ready", t.httpProbe("/ready", func(s state) bool { return s.ready })},
			{"http.live", t.httpProbe("/live", func(s state) bool { return s.live })},
			{"http.health", t.httpHealth},
		}
		if t.knows(checker.Startup) { // latched, unlike the name startup, which does not serve during a drain
			all = append(all, endpoint{"http.startup", t.httpProbe("/startup", func(s state) bool { return s.started || s.draining })})
		}
	}
	if t.target.File != "" {
		all = append(all, endpoint{"file.agrees", t.fileAgrees})
	}
	if t.target.Probe != nil {
		all = append(all, endpoint{"probe.agrees", t.probeAgrees})
	}
	return all
}

// compare queries an endpoint between two queries over gRPC, which show whether the server has changed meanwhile.
func (t *tester) compare(ctx context.Context, e endpoint) error {
	before, err := t.state(ctx)
	if err != nil {
		return err
	}
	err = e.query(ctx, before)
	after, afterErr := t.state(ctx)
	if afterErr != nil {
		return afterErr
	}
	if err != nil && before != after {
		return fmt.Errorf("%w; the server keeps changing", err)
	}
	return err
}

// state queries gRPC. Unknown names count as serving.
func (t *tester) state(ctx context.Context) (s state, err error) {
	for name, is := range map[string]*bool{t.readiness: &s.ready, checker.Liveness: &s.live, checker.Startup: &s.started} {
		if !t.knows(name) {
			*is = true
			continue
		}
		status, err := t.check(ctx, name)
		if err != nil {
			return s, err
		}
		*is = status == serving
	}
	return s, nil
}

func (t *tester) probeAgrees(ctx context.Context, want state) error {
	ctx, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	code := 4
	if want.ready {
		code = 0
	}
	if got := t.target.Probe(ctx); got != code {
		return fmt.Errorf("exit code %d, want %d", got, code)
	}
	return nil
}

// healthFile has the fields of every health file.
type healthFile struct {
	Status    string    `json:"status"`
	Healthy   *bool     `json:"healthy"`
	Live      *bool     `json:"live"`
	Ready     *bool     `json:"ready"`
	Uptime    *float64  `json:"uptime"`
	Timestamp time.Time `json:"timestamp"`
	ExpiresAt time.Time `json:"expires_at"`
}

// clockTolerance is how far in the future a timestamp may be.
const clockTolerance = 2 * time.Second

// readFile reads and validates a health file.
func readFile(path string, now time.Time) (*healthFile, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o444 != 0o444 {
		return nil, fmt.Errorf("mode %v, want a regular file that all users can read", info.Mode())
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := new(healthFile)
	if err := json.Unmarshal(body, f); err != nil {
		return nil, err
	}
	switch {
	case f.Status == "" || f.Healthy == nil || f.Live == nil || f.Ready == nil || f.Uptime == nil:
		return nil, fmt.Errorf("missing field, want status, healthy, live, ready and uptime: %s", body)
	case !f.ExpiresAt.After(f.Timestamp):
		return nil, errors.New("expires before its timestamp")
	case f.Timestamp.After(now.Add(clockTolerance)):
		return nil, fmt.Errorf("timestamp in the future: %v", f.Timestamp)
	case !f.ExpiresAt.After(now):
		return nil, fmt.Errorf("expired at %v", f.ExpiresAt)
	}
	return f, nil
}

func (t *tester) fileAgrees(_ context.Context, want state) error {
	f, err := readFile(t.target.File, time.Now())
	if err != nil {
		return err
	}
	if *f.Ready != want.ready || *f.Live != want.live {
		return fmt.Errorf("file has ready %v and live %v, want %v and %v", *f.Ready, *f.Live, want.ready, want.live)
	}
	return nil
}
