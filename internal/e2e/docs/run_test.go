package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runNote is the note of a block that is part of a file with tests.
const runNote = "run: "

// TestGoRuns compares the blocks that other tests run with their source.
func TestGoRuns(t *testing.T) {
	sources, compared := map[string]string{}, 0
	for _, b := range blocksOf(t, "go") {
		path, found := strings.CutPrefix(b.note, runNote)
		if !found {
			continue
		}
		compared++
		if sources[path] == "" {
			text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
			if err != nil {
				t.Fatalf("%s:%d: %v", b.page, b.line, err)
			}
			sources[path] = dedented(string(text))
		}
		if !strings.Contains(sources[path], dedented(b.text)) {
			t.Errorf("%s:%d: the block is not in %s", b.page, b.line, path)
		}
	}
	if compared < 5 {
		t.Fatalf("only %d blocks: the test does not see them", compared)
	}
}

// dedented removes the indentation of all lines, which depends on the function around them.
func dedented(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
