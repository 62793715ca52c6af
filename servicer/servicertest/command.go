package servicertest

import (
	"context"
	"os/exec"
)

// Command is a Target.Probe that runs a program, such as grpc_health_probe or a server's own healthcheck, and returns
// its exit code; -1 if it cannot be run or does not end by itself.
func Command(program string, args ...string) func(context.Context) int {
	return func(ctx context.Context) int {
		cmd := exec.CommandContext(ctx, program, args...)
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			return -1
		}
		return cmd.ProcessState.ExitCode()
	}
}
