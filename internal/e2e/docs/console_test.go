package docs_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const patience = 30 * time.Second // The test machine may be slow; what is tested is not the time.

// start is a command that starts the example server, with variables before it.
var start = regexp.MustCompile(`^((?:[A-Z_]+=\S* )*)go run \./examples/server$`)

// TestConsole runs what pages show with its output. A block that starts the example server does so for those below it.
func TestConsole(t *testing.T) {
	bin := tools(t)
	workspace, err := filepath.Abs(filepath.Join(root, "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOWORK", workspace) // pages start programs of several modules
	for _, p := range readPages(t) {
		if p.path == tutorial {
			continue // has a test of its own
		}
		at := stage{folder: root, bin: bin}
		for _, b := range p.blocks {
			if b.kind != "console" || strings.HasPrefix(b.note, "not run: ") {
				continue
			}
			steps := b.steps()
			if found := start.FindStringSubmatch(steps[0].text); found != nil {
				at.places = serve(t, bin, strings.Fields(found[1])...)
				steps = steps[1:]
			}
			if at.places == nil && strings.Contains(b.text, "localhost:") {
				t.Errorf("%s:%d: no block above starts the server", b.page, b.line)
				break
			}
			t.Run(fmt.Sprintf("%s:%d", b.page, b.line), func(t *testing.T) {
				for _, step := range steps {
					step.try(t, b, at)
				}
			})
		}
	}
}

// stage is where commands run: their folder, a folder of programs, and what stands in a page with what it is here.
type stage struct {
	folder, bin string
	places      map[string]string
}

// tools returns a folder with the programs that pages may call and that are ours or may have another name.
func tools(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(testdeps.Server(t), filepath.Join(bin, "server")); err != nil {
		t.Fatal(err)
	}
	for name, others := range map[string][]string{"grpc_health_probe": {"grpc_health_probe", "grpc-health-probe"}, "grpcurl": {"grpcurl"}} {
		for _, other := range others {
			if path := find(t, other); path != "" {
				if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	}
	// A terminal shows no progress meter of an answer; neither do we.
	quiet := "#!/bin/sh\nexec " + find(t, "curl") + " -sS \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "curl"), []byte(quiet), 0o755); err != nil {
		t.Fatal(err)
	}
	return bin
}

// find looks for a program in PATH and where go install puts it.
func find(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	gopath, err := exec.CommandContext(t.Context(), "go", "env", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(gopath)), "bin", name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// serve starts the example server with what a page sets, and returns what pages write, with what it is here.
func serve(t *testing.T, bin string, extra ...string) map[string]string {
	t.Helper()
	folder := t.TempDir()
	places := map[string]string{
		"localhost:50051": testdeps.Addr(testdeps.Port(t)),
		"localhost:8080":  testdeps.Addr(testdeps.Port(t)),
		"/tmp/health":     filepath.Join(folder, "health"),
	}
	for i, variable := range extra {
		if variable == "PLUGIN_HEALTH_GRPC_ADDR=:9090" {
			places["localhost:9090"] = testdeps.Addr(testdeps.Port(t))
			extra[i] = "PLUGIN_HEALTH_GRPC_ADDR=" + places["localhost:9090"]
		}
	}
	cmd := exec.Command(filepath.Join(bin, "server"))
	cmd.Dir = folder
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "INVENTORY_DB=:memory:",
		"INVENTORY_ADDR=" + places["localhost:50051"], "PLUGIN_HEALTH_HTTP_ADDR=" + places["localhost:8080"],
		"PLUGIN_HEALTH_FILE_PATH=" + places["/tmp/health"],
		"PLUGIN_HEALTH_CHECK_INTERVAL=1", "PLUGIN_HEALTH_CHECK_TIMEOUT=1", "PLUGIN_HEALTH_DRAIN_DELAY=0",
	}, extra...)
	server := testdeps.Start(t, cmd)
	testdeps.Eventually(t, patience, func() error {
		select {
		case <-server.Exited():
			t.Fatalf("the server has ended:\n%s", server.Output())
		default:
		}
		resp, err := http.Get("http://" + places["localhost:8080"] + "/startup")
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
	return places
}

// step is a command and what it prints.
type step struct {
	line
	output string
}

func (b block) steps() []step {
	var all []step
	commands := b.commandLines()
	lines := strings.Split(strings.TrimSuffix(b.text, "\n"), "\n")
	for i, l := range commands {
		end := len(lines)
		if i+1 < len(commands) {
			end = commands[i+1].number - b.line
		}
		begin := l.number - b.line
		for begin < end && strings.HasSuffix(lines[begin], "\\") {
			begin++
		}
		all = append(all, step{l, strings.Join(lines[begin+1:end], "\n")})
	}
	return all
}

// try runs the command until it prints what the page shows: what it asks for may take a moment to come about.
func (s step) try(t *testing.T, b block, at stage) {
	t.Helper()
	for part := range splitCommands(s.text) {
		needed := filepath.Base(part[0])
		if _, err := os.Stat(filepath.Join(at.bin, needed)); err == nil || needed == "cd" || needed == "export" || strings.Contains(part[0], "/") {
			continue
		}
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("%s is not installed; .ci/install does it", needed)
		}
	}
	command := strings.ReplaceAll(s.text, "go run ./examples/server", "server")
	for written, real := range at.places {
		command = strings.ReplaceAll(command, written, real)
	}
	want := pattern(s.output)
	testdeps.Eventually(t, patience, func() error {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
		cmd.Dir = at.folder
		cmd.Env = append(os.Environ(), "PATH="+at.bin+":"+os.Getenv("PATH"))
		output, err := cmd.CombinedOutput()
		got := strings.TrimRight(strings.ReplaceAll(string(output), "\r", ""), "\n") + "\n"
		for written, real := range at.places {
			got = strings.ReplaceAll(got, real, written)
		}
		if !want.MatchString(got) {
			return fmt.Errorf("%s:%d: %s prints (%w)\n%s\nand not\n%s", b.page, s.number, s.text, cmp.Or(err, errSucceeded), got, s.output)
		}
		return nil
	})
}

var errSucceeded = errors.New("exit code 0")

// pattern makes a regular expression of an output in which … stands for anything.
func pattern(output string) *regexp.Regexp {
	var lines []string
	for l := range strings.SplitSeq(output, "\n") {
		if strings.TrimSpace(l) == "…" {
			lines = append(lines, `(?:.*\n)*?`)
			continue
		}
		// How many spaces there are is nobody's promise: the JSON of protobuf differs from build to build on purpose.
		words := regexp.MustCompile(` +`).ReplaceAllString(regexp.QuoteMeta(strings.TrimRight(l, " ")), ` +`)
		lines = append(lines, strings.ReplaceAll(words, "…", ".*")+`[ \t]*\n`)
	}
	return regexp.MustCompile("^" + strings.Join(lines, "") + "$")
}
