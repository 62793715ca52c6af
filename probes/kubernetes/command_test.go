package kubernetes_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vitals-go/vitals/probes/healthcheck"
	"github.com/vitals-go/vitals/probes/kubernetes"
)

// No server answers here, but healthcheck.Main accepts all arguments.
func TestMainAcceptsTheCommands(t *testing.T) {
	command := []string{"/server", "healthcheck"}
	secure := []string{"/server", "healthcheck", "-tls-no-verify", "-connect-timeout=100ms", "-rpc-timeout", "100ms"}
	for name, test := range map[string]struct {
		cfg  kubernetes.Config
		exit int
	}{
		"gRPC": {kubernetes.Config{Address: "127.0.0.1:1", Command: append(slices.Clone(secure), "-tls")}, 2},
		"HTTP": {kubernetes.Config{Address: "https://127.0.0.1:1", Command: secure}, 2},
		"file": {kubernetes.Config{Address: filepath.Join(t.TempDir(), "health"), Command: command, FileInterval: second}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range probesOf(t, must(t, test.cfg)) {
				var output bytes.Buffer
				words := commandOf(t, p)
				if got := healthcheck.Main(words[len(command):], &output, &output); got != test.exit {
					t.Errorf("%q: got exit code %d, want %d: %s", words, got, test.exit, &output)
				}
			}
		})
	}
}
