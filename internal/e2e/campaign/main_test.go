package main

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/probes/healthcheck"
)

// The test binary also stands in for the server's own healthcheck command.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
		os.Exit(healthcheck.Main(os.Args[2:], os.Stdout, os.Stderr))
	}
	// Under the race detector every process sleeps for a second before it exits, which hundreds of commands add up to
	// minutes. They have ended all they began; this process, which has read the variable before, still sleeps.
	if err := os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0")); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
