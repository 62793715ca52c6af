package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const tutorial = "docs/tutorial.md"

// TestTutorial does what the tutorial says, in an empty folder. It differs in the ports, in the place of the health file,
// and in where the module comes from.
func TestTutorial(t *testing.T) {
	var blocks []block
	for _, p := range readPages(t) {
		if p.path == tutorial {
			blocks = p.blocks
		}
	}
	if len(blocks) < 10 {
		t.Fatalf("%s has %d blocks, want at least 10", tutorial, len(blocks))
	}
	places := map[string]string{}
	for _, written := range []string{"localhost:50051", "localhost:8080", "localhost:9000"} {
		places[written] = testdeps.Addr(testdeps.Port(t))
	}
	at := stage{folder: t.TempDir(), bin: tools(t), places: places}
	for name, value := range moduleEnv(t) {
		t.Setenv(name, value)
	}
	t.Setenv("PLUGIN_HEALTH_HTTP_ADDR", places["localhost:8080"])
	t.Setenv("PLUGIN_HEALTH_FILE_PATH", filepath.Join(at.folder, "health"))
	terminals := map[string]*testdeps.Process{}
	for _, b := range blocks {
		option, value, _ := strings.Cut(b.note, ": ")
		if option == "after Ctrl-C" {
			terminals[value].Signal(syscall.SIGINT)
		}
		switch {
		case option == "file":
			text := strings.ReplaceAll(b.text, `":50051"`, `"`+places["localhost:50051"]+`"`)
			for written, real := range places {
				text = strings.ReplaceAll(text, written, real)
			}
			if err := os.WriteFile(filepath.Join(at.folder, value), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		case b.kind == "sh":
			at.folder = b.script(t, at.folder)
		case b.kind == "console":
			steps := b.steps()
			if option == "terminal" {
				last := len(steps) - 1
				if running := terminals[value]; running != nil {
					running.Signal(syscall.SIGINT)
					running.Wait(patience)
				}
				for _, s := range steps[:last] {
					s.try(t, b, at)
				}
				cmd := exec.Command("bash", "-c", "exec env "+steps[last].text)
				cmd.Dir = at.folder
				terminals[value] = testdeps.Start(t, cmd)
				continue
			}
			for _, s := range steps {
				s.try(t, b, at)
			}
		}
	}
	if code := terminals["first"].Wait(patience); code != 0 {
		t.Errorf("the server ended with the exit code %d", code)
	}
}

// script runs the commands of a block in one shell and returns the folder where they end. The module of the page gets a
// replacement as soon as it exists.
func (b block) script(t *testing.T, folder string) string {
	t.Helper()
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(b.text, "\ngo get ", "\ngo mod edit -replace github.com/vitals-go/vitals="+checkout+"\ngo get ", 1)
	cmd := exec.CommandContext(t.Context(), "bash", "-ec", text+"pwd >folder.txt")
	cmd.Dir = folder
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s:%d: %v\n%s", b.page, b.line, err, output)
	}
	found, err := filepath.Glob(filepath.Join(folder, "*", "folder.txt"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s:%d: no folder: %v", b.page, b.line, err)
	}
	return filepath.Dir(found[0])
}

// moduleEnv is the environment in which go get finds this module: a proxy of files that knows one version, which the page's
// module replaces by the checkout. Others come from where they always come from.
func moduleEnv(t *testing.T) map[string]string {
	t.Helper()
	proxy := t.TempDir()
	versions := filepath.Join(proxy, "github.com", "vitals-go", "vitals", "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"list": "v0.1.0\n", "v0.1.0.info": `{"Version":"v0.1.0","Time":"2026-01-01T00:00:00Z"}`, "v0.1.0.mod": read(t, "go.mod"),
	} {
		if err := os.WriteFile(filepath.Join(versions, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	others, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"GOWORK": "off", "GOFLAGS": "", "GONOSUMDB": "*", "GOPROXY": "file://" + filepath.ToSlash(proxy) + "," + strings.TrimSpace(string(others)),
	}
}
