package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A tag can be moved to other code: actions are pinned by their commits, with the version beside them.
func TestActionsArePinnedByCommit(t *testing.T) {
	t.Parallel()
	workflows, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$`)
	seen := 0
	for _, name := range workflows {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "uses:") {
				seen++
				if !pinned.MatchString(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "- "))) {
					t.Errorf("%s: %s is not pinned by a commit, with its version as a comment", name, strings.TrimSpace(line))
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no action found: the test does not see them")
	}
}

func TestDependabotWatchesEveryModule(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(filepath.Join(root, ".github", "dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	watched := map[string]bool{}
	for _, folder := range regexp.MustCompile(`(?m)^      - (/\S*)$`).FindAllStringSubmatch(string(config), -1) {
		watched[folder[1]] = true
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "go.mod" {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		folder := "/" + strings.TrimPrefix(filepath.ToSlash(rel), ".")
		if !watched[folder] {
			t.Errorf("dependabot.yml does not list %s", folder)
		}
		delete(watched, folder)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder := range watched {
		t.Errorf("dependabot.yml lists %s, which is no module", folder)
	}
}
