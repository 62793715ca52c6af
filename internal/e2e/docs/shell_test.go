package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commands are the programs that pages may name. What a reader needs beside them, the page must say.
var commands = map[string]bool{
	"bash": true, "cat": true, "cd": true, "chromium": true, "curl": true, "docker": true, "echo": true, "export": true,
	"git": true, "go": true, "grep": true, "grpc_health_probe": true, "grpcurl": true, "haproxy": true, "jq": true,
	"kill": true, "kubectl": true, "mkdir": true, "mybinary": true, "prometheus": true, "promtool": true, "sed": true,
	"server": true, "sleep": true,

	"orders": true, "prices": true, // of the tutorial
}

var (
	assignment = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*=`)
	goTarget   = regexp.MustCompile(`^\./[A-Za-z0-9_./-]+$`)
	ownPath    = regexp.MustCompile(`localhost:(?:8080|8081)(/[A-Za-z0-9_./-]*)`)
)

// doors are the paths of the HTTP door, but for those below /health/.
var doors = map[string]bool{
	"": true, "/": true, "/health": true, "/live": true, "/livez": true, "/ready": true, "/readyz": true, "/startup": true,
	"/startupz": true, "/metrics": true,
}

// commandLines returns the commands of a block: in sh each line, in console what follows "$ ".
func (b block) commandLines() []line {
	var found []line
	number := b.line
	more := false
	for text := range strings.SplitSeq(strings.TrimSuffix(b.text, "\n"), "\n") {
		switch command, prompt := strings.CutPrefix(text, "$ "); {
		case more:
			last := &found[len(found)-1]
			last.text = strings.TrimSuffix(last.text, "\\") + " " + strings.TrimSpace(text)
			more = strings.HasSuffix(text, "\\")
		case b.kind == "console" && !prompt, strings.TrimSpace(text) == "", strings.HasPrefix(strings.TrimSpace(text), "#"):
		default:
			found = append(found, line{number, command})
			more = strings.HasSuffix(text, "\\")
		}
		number++
	}
	return found
}

func TestCommandsExist(t *testing.T) {
	seen := 0
	for _, b := range blocksOf(t, "sh", "console") {
		for _, l := range b.commandLines() {
			seen++
			if output, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", l.text).CombinedOutput(); err != nil {
				t.Errorf("%s:%d: %s", b.page, l.number, output)
			}
			for part := range splitCommands(l.text) {
				if problem := examine(part, filepath.Dir(b.page)); problem != "" {
					t.Errorf("%s:%d: %s", b.page, l.number, problem)
				}
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d commands found: the test does not see them", seen)
	}
}

// splitCommands yields the commands of a line as words. It knows no more of the shell than pages use.
func splitCommands(text string) func(func([]string) bool) {
	quoted := regexp.MustCompile(`'[^']*'|"[^"]*"`).ReplaceAllString(text, "Q")
	quoted, _, _ = strings.Cut(quoted, " # ")
	return func(yield func([]string) bool) {
		for _, part := range regexp.MustCompile(`\s*(?:\|\||&&|[|;&])\s*`).Split(quoted, -1) {
			words := strings.Fields(part)
			for len(words) > 0 && assignment.MatchString(words[0]) {
				words = words[1:]
			}
			if len(words) > 0 && !yield(words) {
				return
			}
		}
	}
}

func examine(words []string, folder string) (problem string) {
	name := filepath.Base(words[0])
	if !commands[name] {
		return "nobody knows the command " + words[0]
	}
	for i, word := range words {
		if found := ownPath.FindStringSubmatch(word); found != nil && !doors[found[1]] && !strings.HasPrefix(found[1], "/health/") {
			return "the HTTP door has no path " + found[1]
		}
		inTree := name == "go" && goTarget.MatchString(word) || name == "bash" && i == 1 && strings.HasPrefix(word, ".")
		if !inTree {
			continue
		}
		there := false
		for _, base := range []string{".", folder} {
			_, err := os.Stat(filepath.Join(root, base, strings.TrimSuffix(word, "/...")))
			there = there || err == nil
		}
		if !there {
			return "there is no " + word
		}
	}
	return ""
}
