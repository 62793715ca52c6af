package kubernetes_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/probes/kubernetes"
)

// The commands of a manifest are those that probes.Main understands: nobody answers here, but no argument is wrong.
func TestCommandsAreUnderstood(t *testing.T) {
	command := []string{"/server", "healthcheck"}
	secure := []string{"-tls-no-verify", "-connect-timeout=100ms", "-rpc-timeout", "100ms"}
	for name, test := range map[string]struct {
		exec kubernetes.Exec
		exit int
	}{
		"gRPC": {kubernetes.Exec{Addr: "127.0.0.1:1", Flags: append(secure, "-tls")}, 2},
		"HTTP": {kubernetes.Exec{URL: "https://127.0.0.1:1", Flags: secure}, 2},
		"file": {kubernetes.Exec{File: filepath.Join(t.TempDir(), "health"), FileInterval: second}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			test.exec.Command = command
			for _, p := range probesOf(must(t, kubernetes.Config{Exec: &test.exec})) {
				var output bytes.Buffer
				if got := probes.Main(p.Exec.Command[len(command):], &output, &output); got != test.exit {
					t.Errorf("%q exits with %d, want %d: %s", p.Exec.Command, got, test.exit, &output)
				}
			}
		})
	}
}
