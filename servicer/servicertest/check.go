package servicertest

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
)

// Check tests target by all rules that apply: first as it is, then with each check of Target.Fail failing and recovering, at
// last during the drain. It blocks for ObserveFor, the drain, and up to Timeout for each expected change.
//
// The error joins all mistakes in target or is the cause of ctx. An unreachable server is a violation of check.overall.
func Check(ctx context.Context, target Target) (*Result, error) {
	if err := target.validate(); err != nil {
		return nil, err
	}
	t := &tester{target: target.withDefaults(), health: healthpb.NewHealthClient(target.Conn), details: make(map[string][]string)}
	t.watchCtx, t.cancelWatches = context.WithCancel(ctx)
	defer t.wg.Wait()
	defer t.cancelWatches()
	if t.connect(ctx) {
		t.checkNames(ctx)
		t.list(ctx)
		t.watchNames(ctx)
		t.endpoints(ctx)
		for _, check := range slices.Sorted(maps.Keys(t.target.Fail)) {
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
	readiness string

	watches       []*watch
	wg            sync.WaitGroup
	watchCtx      context.Context //nolint:containedctx // of all watches, until cancelWatches
	cancelWatches context.CancelFunc

	drainBegan time.Time

	details map[string][]string // of the violations of each tested rule, by ID
}

// want records a test of the rule, and a violation unless it passed.
func (t *tester) want(id string, passed bool, want, format string, got ...any) {
	details := t.details[id]
	if !passed && len(details) < maxViolations {
		details = append(details, fmt.Sprintf("want %s, got "+format, append([]any{want}, got...)...))
	}
	t.details[id] = details
}

func (t *tester) result() *Result {
	r := &Result{}
	for _, rule := range Rules() {
		details, tested := t.details[rule.ID]
		if !tested || slices.Contains(t.target.Skip, rule.ID) {
			r.Skipped = append(r.Skipped, rule)
			continue
		}
		for _, d := range details {
			r.Violations = append(r.Violations, Violation{rule, d})
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
	switch status.Code(err) {
	case codes.Unimplemented, codes.Unavailable, codes.DeadlineExceeded, codes.Canceled: // no health service
		return false
	}
	for _, name := range []string{checker.Liveness, checker.Readiness, checker.Startup} {
		if _, err := t.check(ctx, name); err == nil && !t.knows(name) {
			t.target.Names = append(t.target.Names, name)
		}
	}
	if t.knows(checker.Readiness) {
		t.readiness = checker.Readiness
	}
	return true
}

// knows reports whether the server must know name, or knows it if it is the name of a probe.
func (t *tester) knows(name string) bool { return slices.Contains(t.target.Names, name) }

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
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

// TB is the part of testing.TB that Run uses; programs that only use Check do not link package testing.
type TB interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Run is Check with one test error per violation. It logs skipped rules.
func Run(t TB, target Target) {
	t.Helper()
	result, err := Check(t.Context(), target)
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	for _, v := range result.Violations {
		t.Errorf("%v", v)
	}
	for _, r := range result.Skipped {
		t.Logf("skipped: %s: %s", r.ID, r.Text)
	}
	t.Logf("%d rules passed", len(Rules())-len(result.Failed())-len(result.Skipped))
}

// Command returns a Target.Probe that runs a program, such as grpc_health_probe or a server's own healthcheck, and returns
// its exit code; -1 if it does not start or exit.
func Command(program string, args ...string) func(context.Context) int {
	return func(ctx context.Context) int {
		cmd := exec.CommandContext(ctx, program, args...)
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			return -1
		}
		return cmd.ProcessState.ExitCode()
	}
}
