package servicertest

import (
	"context"
	"fmt"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// door is one way to ask the server beside gRPC. It returns nil if it agrees with gRPC's word.
type door struct {
	rule string
	ask  func(ctx context.Context, said word) error
}

// word is what gRPC says.
type word struct {
	ready, live    bool
	startup        bool // start-up is over, as far as the server tells
	duringTheDrain bool
}

// doors wants every door to say what gRPC says, each of them as soon as it can, and to be well-formed.
func (j *judge) doors(ctx context.Context) {
	for _, d := range j.allDoors() {
		err := j.eventually(ctx, j.target.Patience, func() error { return j.compare(ctx, d) })
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
		err := j.eventually(ctx, j.target.Patience, func() error { _, err := readFile(j.target.File, time.Now()); return err })
		j.want("file.form", err == nil, "a health file to be believed", "%v", err)
	}
}

func (j *judge) allDoors() []door {
	var all []door
	if j.target.HTTP != "" {
		all = append(
			all,
			door{"http.ready", j.httpReady}, door{"http.live", j.httpLive},
			door{"http.health", j.httpHealth},
		)
		if j.hasStartup {
			all = append(all, door{"http.startup", j.httpStartup})
		}
	}
	if j.target.File != "" {
		all = append(all, door{"file.agrees", j.fileAgrees})
	}
	if j.target.Probe != nil {
		all = append(all, door{"probe.agrees", j.probeAgrees})
	}
	return all
}

// compare asks a door between two looks at gRPC, which must agree with each other: else the server has changed.
func (j *judge) compare(ctx context.Context, d door) error {
	before, err := j.word(ctx)
	if err != nil {
		return err
	}
	err = d.ask(ctx, before)
	after, again := j.word(ctx)
	if again != nil {
		return again
	}
	if err != nil && before != after {
		return fmt.Errorf("%w; the server changes all the time", err)
	}
	return err
}

// word asks gRPC. A name that the server does not know is taken to serve.
func (j *judge) word(ctx context.Context) (said word, err error) {
	for name, answer := range map[string]*bool{
		j.readiness: &said.ready, checker.Liveness: &said.live, checker.Startup: &said.startup,
	} {
		if name == checker.Liveness && !j.hasLiveness || name == checker.Startup && !j.hasStartup {
			*answer = true
			continue
		}
		state, err := j.check(ctx, name)
		if err != nil {
			return said, err
		}
		*answer = state == serving
	}
	return said, nil
}

func (j *judge) probeAgrees(ctx context.Context, said word) error {
	ctx, cancel := context.WithTimeout(ctx, j.target.Patience)
	defer cancel()
	want := 4
	if said.ready {
		want = 0
	}
	if code := j.target.Probe(ctx); code != want {
		return fmt.Errorf("the exit code is %d, want %d", code, want)
	}
	return nil
}
