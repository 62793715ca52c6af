package servicertest

import (
	"context"
	"fmt"
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
		t.metrics(ctx)
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
		if t.hasStartup { // latched, unlike the name startup, which does not serve during a drain
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
		if name == checker.Liveness && !t.hasLiveness || name == checker.Startup && !t.hasStartup {
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
