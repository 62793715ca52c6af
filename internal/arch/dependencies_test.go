package arch

import (
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryDependencyHasAReason compares the table of SECURITY.md with what go.mod requires and with what imports it.
func TestEveryDependencyHasAReason(t *testing.T) {
	rows := dependencyRows(t)
	modules := requirements(t)
	if len(modules) < 5 {
		t.Fatalf("got only %v from go.mod: wrong file?", modules)
	}
	importers := importersOf(t, modules)
	for _, module := range modules {
		row, listed := rows[module]
		if !listed {
			t.Errorf("go.mod requires %s, which SECURITY.md does not list", module)
			continue
		}
		if len(row.reason) < 20 {
			t.Errorf("SECURITY.md: %s has the reason %q", module, row.reason)
		}
		want := strings.Join(importers[module], " ")
		switch n := len(importers[module]); {
		case n == 0:
			want = "tests"
		case n > many:
			want = "everything"
		}
		if got := strings.Join(row.packages, " "); got != want {
			t.Errorf("SECURITY.md: %s is linked by %q, the table has %q", module, want, got)
		}
		delete(rows, module)
	}
	for module := range rows {
		t.Errorf("SECURITY.md: %s is not required by go.mod", module)
	}
}

// many is the number of packages above which the table has the word everything.
const many = 5

type dependencyRow struct {
	reason   string
	packages []string
}

// dependencyRows reads the rows | `module` | reason | `package`, `package` |.
func dependencyRows(t *testing.T) map[string]dependencyRow {
	t.Helper()
	rows := make(map[string]dependencyRow)
	_, section, found := strings.Cut(readFile(t, "SECURITY.md"), "\n## Dependencies")
	if !found {
		t.Fatal("SECURITY.md has no section Dependencies")
	}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		packages := strings.FieldsFunc(cells[3], func(r rune) bool { return strings.ContainsRune(" ,`", r) })
		rows[strings.Trim(cells[1], " `")] = dependencyRow{strings.TrimSpace(cells[2]), packages}
	}
	return rows
}

// requirements returns the modules that go.mod requires directly.
func requirements(t *testing.T) []string {
	t.Helper()
	var modules []string
	for line := range strings.Lines(readFile(t, "go.mod")) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) == 2 && strings.HasPrefix(fields[1], "v") && strings.Contains(fields[0], ".") {
			modules = append(modules, fields[0])
		}
	}
	return modules
}

// importersOf returns the packages of this module that import each of the modules outside tests, sorted.
func importersOf(t *testing.T, modules []string) map[string][]string {
	t.Helper()
	importers := make(map[string][]string)
	for file, imports := range sources(t) {
		for _, imported := range imports {
			owner := ""
			for _, module := range modules {
				if (imported == module || strings.HasPrefix(imported, module+"/")) && len(module) > len(owner) {
					owner = module
				}
			}
			if dir := path.Dir(file); owner != "" && !slices.Contains(importers[owner], dir) {
				importers[owner] = append(importers[owner], dir)
			}
		}
	}
	for _, dirs := range importers {
		slices.Sort(dirs)
	}
	return importers
}

// TestSecurityNamesExistingTestsAndVariables reads the page that names tests and environment variables as proof.
func TestSecurityNamesExistingTestsAndVariables(t *testing.T) {
	all, text := testNames(t), readFile(t, "SECURITY.md")
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(text, -1)
	if len(named) < 10 {
		t.Fatalf("SECURITY.md names only %d tests", len(named))
	}
	for _, name := range named {
		if !slices.Contains(all, name[1]) {
			t.Errorf("SECURITY.md names %s, which is no test", name[1])
		}
	}
	for _, variable := range regexp.MustCompile("`(PLUGIN_[A-Z_]+)`").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(readFile(t, "env.go"), variable[1]) {
			t.Errorf("SECURITY.md names %s, which env.go does not read", variable[1])
		}
	}
}

func testNames(t *testing.T) []string {
	t.Helper()
	var names []string
	pattern := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, "_test.go") {
			return err
		}
		text, err := os.ReadFile(p)
		for _, match := range pattern.FindAllStringSubmatch(string(text), -1) {
			if token.IsExported(match[1]) {
				names = append(names, match[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
