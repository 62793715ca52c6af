package servicertest

import (
	"context"
	"fmt"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// endpoint is one way to ask the server beside gRPC. It returns nil if it agrees with gRPC's word.
type endpoint struct {
	rule  string
	query func(ctx context.Context, expected expectation) error
}

// expectation is what gRPC says.
type expectation struct {
	ready, live    bool
	startup        bool // start-up is over, as far as the server tells
	duringTheDrain bool
}

// endpoints wants every door to say what gRPC says, each of them as soon as it can, and to be well-formed.
func (j *tester) endpoints(ctx context.Context) {
	for _, d := range j.allEndpoints() {
		err := j.eventually(ctx, j.target.Timeout, func() error { return j.compare(ctx, d) })
		if ctx.Err() != nil {
			return
		}
		j.want(d.rule, err == nil, "what gRPC says", "%v", err)
	}
	if j.target.HTTP != "" {
		j.httpForm(ctx)
		j.metrics(ctx)
	}
	if j.target.File != "" {
		err := j.eventually(ctx, j.target.Timeout, func() error { _, err := readFile(j.target.File, time.Now()); return err })
		j.want("file.form", err == nil, "a health file to be believed", "%v", err)
	}
}

func (j *tester) allEndpoints() []endpoint {
	var all []endpoint
	if j.target.HTTP != "" {
		all = append(
			all,
			endpoint{"http.ready", j.httpReady}, endpoint{"http.live", j.httpLive},
			endpoint{"http.health", j.httpHealth},
		)
		if j.hasStartup {
			all = append(all, endpoint{"http.startup", j.httpStartup})
		}
	}
	if j.target.File != "" {
		all = append(all, endpoint{"file.agrees", j.fileAgrees})
	}
	if j.target.Probe != nil {
		all = append(all, endpoint{"probe.agrees", j.probeAgrees})
	}
	return all
}

// compare asks a door between two looks at gRPC, which must agree with each other: else the server has changed.
func (j *tester) compare(ctx context.Context, d endpoint) error {
	before, err := j.expected(ctx)
	if err != nil {
		return err
	}
	err = d.query(ctx, before)
	after, again := j.expected(ctx)
	if again != nil {
		return again
	}
	if err != nil && before != after {
		return fmt.Errorf("%w; the server changes all the time", err)
	}
	return err
}

// expected asks gRPC. A name that the server does not know is taken to serve.
func (j *tester) expected(ctx context.Context) (expected expectation, err error) {
	for name, answer := range map[string]*bool{
		j.readiness: &expected.ready, checker.Liveness: &expected.live, checker.Startup: &expected.startup,
	} {
		if name == checker.Liveness && !j.hasLiveness || name == checker.Startup && !j.hasStartup {
			*answer = true
			continue
		}
		state, err := j.check(ctx, name)
		if err != nil {
			return expected, err
		}
		*answer = state == serving
	}
	return expected, nil
}

func (j *tester) probeAgrees(ctx context.Context, expected expectation) error {
	ctx, cancel := context.WithTimeout(ctx, j.target.Timeout)
	defer cancel()
	want := 4
	if expected.ready {
		want = 0
	}
	if code := j.target.Probe(ctx); code != want {
		return fmt.Errorf("the exit code is %d, want %d", code, want)
	}
	return nil
}
