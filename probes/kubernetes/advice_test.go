package kubernetes_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/probes/kubernetes"
)

// probesHealth matches probes by /health, which a busy CPU can make critical.
var probesHealth = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`path"?: *"?/health\b`,               // httpGet
	`httpchk .*[ /]health\b`,             // HAProxy
	`uri"?[ :=]+"?/health\b`,             // http-check and load balancers
	`-http[ =]\S*/health\b`,              // the healthcheck command
	`-for[ =",]+healthy`,                 // the same, with the file
	`http_path: *"?/health\b`,            // Envoy's health_checks
	`HEALTHCHECK .*/health["' ]*$`,       // Dockerfile
	`health-?check-path\S* \S*/health\b`, // ingress controllers
}, "|"))

func TestDocumentsDoNotProbeHealth(t *testing.T) {
	read := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); path != root && (name == ".git" || name == "node_modules" || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		kinds := []string{".md", ".yaml", ".yml", ".cfg", ".tmpl", ".html", ".json"}
		if !slices.Contains(kinds, filepath.Ext(path)) && entry.Name() != "Dockerfile" && entry.Name() != "doc.go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for i, line := range strings.Split(string(text), "\n") {
			if probesHealth.MatchString(line) {
				t.Errorf("%s:%d probes by /health, want /live or /ready: %s", path, i+1, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 20 {
		t.Fatalf("got %d documents, want at least 20", read)
	}
}

func TestProbesByHealthAreRecognized(t *testing.T) {
	for _, line := range []string{
		`httpGet: {path: /health, port: 8080}`, `  option httpchk GET /health`, `["/server", "healthcheck", "-http", "http://localhost:8080"]`,
		`server healthcheck -http http://localhost:8080/health`, `"-file", "/tmp/health", "-for", "healthy"`,
	} {
		if wrong := !strings.HasSuffix(line, `8080"]`); probesHealth.MatchString(line) != wrong {
			t.Errorf("%q matches: %v, want %v", line, !wrong, wrong)
		}
	}
}

func TestManifestsDoNotProbeHealth(t *testing.T) {
	command := []string{"/server", "healthcheck"}
	for name, cfg := range map[string]kubernetes.Config{
		"gRPC": {GRPCPort: 9090}, "HTTP": {HTTPPort: 8080},
		"gRPC command": {Command: command, Address: "localhost:9090"},
		"HTTP command": {Command: command, Address: "http://localhost:8080"},
		"file command": {Command: command, Address: "/tmp/state", FileInterval: second},
	} {
		text := string(must(t, cfg).Container())
		text = strings.ReplaceAll(text, `"healthcheck"`, "") // the sub-command
		if strings.Contains(text, "health") {
			t.Errorf("%s: the manifest probes by /health:\n%s", name, text)
		}
	}
}
