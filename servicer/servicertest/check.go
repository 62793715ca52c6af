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

// Check tests target by all rules that apply: first as it is, then with each of Target.Checks failing and recovering, at
// last during the drain. It blocks for ObserveFor, the drain, and up to Timeout for each expected change.
//
// The error joins all mistakes in target or is the cause of ctx. An unreachable server is a violation of check.overall.
func Check(ctx context.Context, target Target) (*Result, error) {
	if err := target.validate(); err != nil {
		return nil, err
	}
	t := newTester(ctx, target)
	defer t.wg.Wait()
	defer t.cancelWatches()
	if t.connect(ctx) {
		t.checkNames(ctx)
		t.list(ctx)
		t.watchNames(ctx)
		t.endpoints(ctx)
		t.observe(ctx)
		for _, check := range t.target.Checks {
			t.failing(ctx, check)
		}
		if t.target.Drain != nil {
			t.drain(ctx)
		}
		t.onlyChanges()
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("servicertest: interrupted: %w", err)
	}
	return t.result(), nil
}

// tester is one call of Check.
type tester struct {
	target Target
	health healthpb.HealthClient
	// readiness is the name of readiness, "" if the server has no such name.
	readiness               string
	hasLiveness, hasStartup bool

	watches       []*watch
	wg            sync.WaitGroup
	watchCtx      context.Context //nolint:containedctx // of all watches, until cancelWatches
	cancelWatches context.CancelFunc

	rules      []Rule
	tested     []bool
	violations [][]Violation // by rule
}

func newTester(ctx context.Context, target Target) *tester {
	t := &tester{target: target.withDefaults(), health: healthpb.NewHealthClient(target.Conn), rules: Rules()}
	t.watchCtx, t.cancelWatches = context.WithCancel(ctx)
	t.tested, t.violations = make([]bool, len(t.rules)), make([][]Violation, len(t.rules))
	return t
}

// want records a test of the rule, and a violation unless it passed.
func (t *tester) want(id string, passed bool, want, format string, got ...any) {
	i := indexOf(t.rules, id)
	t.tested[i] = true
	if !passed && len(t.violations[i]) < maxViolations {
		t.violations[i] = append(t.violations[i], Violation{t.rules[i], fmt.Sprintf("want %s, got "+format, append([]any{want}, got...)...)})
	}
}

func (t *tester) result() *Result {
	r := &Result{}
	for i, rule := range t.rules {
		switch {
		case !t.tested[i] || slices.Contains(t.target.Skip, rule.ID):
			r.Skipped = append(r.Skipped, rule)
		case len(t.violations[i]) == 0:
			r.Passed = append(r.Passed, rule)
		default:
			r.Violations = append(r.Violations, t.violations[i]...)
		}
	}
	return r
}

// connect waits for the server and adds the names of probes that it knows.
func (t *tester) connect(ctx context.Context) bool {
	timeout, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	_, err := t.health.Check(timeout, &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
	if ctx.Err() != nil {
		return false
	}
	t.want("check.overall", err == nil, "a status", "%v", err)
	if err != nil && !hasHealthService(err) {
		return false
	}
	for _, name := range []string{checker.Liveness, checker.Readiness, checker.Startup} {
		if _, err := t.check(ctx, name); err == nil && !slices.Contains(t.target.Names, name) {
			t.target.Names = append(t.target.Names, name)
		}
	}
	t.hasLiveness = slices.Contains(t.target.Names, checker.Liveness)
	t.hasStartup = slices.Contains(t.target.Names, checker.Startup)
	if slices.Contains(t.target.Names, checker.Readiness) {
		t.readiness = checker.Readiness
	}
	return true
}

// eventually retries f until it returns nil, for at most Target.Timeout, and returns its last error.
func (t *tester) eventually(ctx context.Context, f func() error) error {
	deadline := time.Now().Add(t.target.Timeout)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		err := f()
		if err == nil || !time.Now().Before(deadline) {
			return err
		}
		sleep(ctx, min(pause, time.Until(deadline)))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
