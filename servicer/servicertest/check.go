package servicertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
)

// Check judges target by all rules that it can be tested for: first as it is, then with each of Target.Checks failing
// and cured, at last while it drains. It blocks until that is over, which takes Quiet, the drain, and as long as the
// server takes to follow; Patience for each thing that does not happen.
//
// The error says that target could not be judged: it joins all mistakes in target, each naming the field, or is the
// cause why ctx ended. A server that cannot be reached is no error but a finding about check.overall.
func Check(ctx context.Context, target Target) (*Result, error) {
	if err := target.validate(); err != nil {
		return nil, err
	}
	j := newTester(ctx, target)
	defer j.goroutines.Wait()
	defer j.hangUp()

	if j.connect(ctx) {
		j.query(ctx)
		j.watchAll(ctx)
		j.endpoints(ctx)
		j.receive(ctx)
		for _, check := range j.target.Checks {
			j.fail(ctx, check)
		}
		if j.target.Drain != nil {
			j.drain(ctx)
		}
		j.onlyChanges()
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("servicertest: the server was not judged to the end: %w", err)
	}
	return j.result(), nil
}

// tester is one call of Check.
type tester struct {
	target Target
	health healthpb.HealthClient
	// readiness is the name that tells whether traffic may come, liveness and startup those of the other probes;
	// hasLiveness and hasStartup say whether the server knows them.
	readiness               string
	hasLiveness, hasStartup bool

	watches    []*watch
	goroutines sync.WaitGroup
	watching   context.Context    //nolint:containedctx // Of all watches: they live as long as the judge, or until hangUp.
	hangUp     context.CancelFunc // ends the watches that the server leaves open

	rules      []Rule
	tested     []bool
	violations [][]Violation // by rule, as tested
}

func newTester(ctx context.Context, target Target) *tester {
	j := &tester{target: target.withDefaults(), health: healthpb.NewHealthClient(target.Conn), rules: Rules()}
	j.watching, j.hangUp = context.WithCancel(ctx)
	j.tested, j.violations = make([]bool, len(j.rules)), make([][]Violation, len(j.rules))
	return j
}

// want notes that the rule was tested, and what was found unless it is kept.
func (j *tester) want(id string, passed bool, want, format string, got ...any) {
	i := indexOf(j.rules, id)
	j.tested[i] = true
	if !passed && len(j.violations[i]) < maxViolations {
		j.violations[i] = append(j.violations[i], Violation{j.rules[i], want, fmt.Sprintf(format, got...)})
	}
}

func (j *tester) result() *Result {
	v := &Result{}
	for i, rule := range j.rules {
		switch {
		case !j.tested[i] || slices.Contains(j.target.Skip, rule.ID):
			v.Skipped = append(v.Skipped, rule)
		case len(j.violations[i]) == 0:
			v.Passed = append(v.Passed, rule)
		default:
			v.Violations = append(v.Violations, j.violations[i]...)
		}
	}
	return v
}

// connect waits until the server answers, and finds out which of the probes' names it knows.
func (j *tester) connect(ctx context.Context) bool {
	within, cancel := context.WithTimeout(ctx, j.target.Timeout)
	defer cancel()
	_, err := j.health.Check(within, &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
	if ctx.Err() != nil {
		return false
	}
	j.want("check.overall", err == nil, "a status", "%v", err)
	if err != nil && !answered(err) {
		return false
	}
	for _, name := range []string{checker.Liveness, checker.Readiness, checker.Startup} {
		if _, err := j.check(ctx, name); err == nil && !slices.Contains(j.target.Names, name) {
			j.target.Names = append(j.target.Names, name)
		}
	}
	j.hasLiveness = slices.Contains(j.target.Names, checker.Liveness)
	j.hasStartup = slices.Contains(j.target.Names, checker.Startup)
	if slices.Contains(j.target.Names, checker.Readiness) {
		j.readiness = checker.Readiness
	}
	return true
}

// eventually asks until the answer is nil, at most for d, and returns the last answer.
func (j *tester) eventually(ctx context.Context, d time.Duration, ask func() error) error {
	deadline := time.Now().Add(d)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		err := ask()
		if err == nil || !time.Now().Before(deadline) {
			return err
		}
		sleep(ctx, min(pause, time.Until(deadline)))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// sleep waits for d, or less if ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
