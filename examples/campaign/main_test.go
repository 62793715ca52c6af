package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/probes"
)

// The test binary also stands in for the server's own healthcheck command.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
		os.Exit(probes.Main(os.Args[2:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
