package servicertest

import (
	"context"
	"os/exec"
)

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
