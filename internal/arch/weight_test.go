package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestModuleListing compares testdata/modules.txt with the modules that each package links.
func TestModuleListing(t *testing.T) {
	t.Parallel()
	linked := linkedModules(t)
	var listing []string
	for path, modules := range linked {
		listing = append(listing, strings.TrimPrefix(path, module+"/")+": "+strings.Join(modules, " "))
	}
	slices.Sort(listing)
	compareListing(t, "modules.txt", listing)
}

// linkedModules returns the modules beside this one that each public package needs, sorted.
func linkedModules(t *testing.T) map[string][]string {
	t.Helper()
	owner, deps := map[string]string{}, map[string][]string{}
	for line := range strings.Lines(goCommand(t, "list", "-deps", "-f", "{{.ImportPath}}\t{{with .Module}}{{.Path}}{{end}}\t{{join .Deps \" \"}}", "./...")) {
		field := strings.Split(strings.TrimRight(line, "\n"), "\t")
		owner[field[0]] = field[1]
		if isPublic(field[0]) {
			deps[field[0]] = strings.Fields(field[2])
		}
	}
	linked := map[string][]string{}
	for path, imports := range deps {
		linked[path] = []string{}
		for _, imported := range imports {
			if m := owner[imported]; m != "" && m != module && !slices.Contains(linked[path], m) {
				linked[path] = append(linked[path], m)
			}
		}
		slices.Sort(linked[path])
	}
	if len(linked) < 15 {
		t.Fatalf("got %d packages, want at least 15", len(linked))
	}
	return linked
}

// tolerance is how much a binary may differ from the table: releases of Go differ by a few percent.
const tolerance = 0.1

// TestWeights compares the table of README.md with programs that use one package: their modules and their size.
func TestWeights(t *testing.T) {
	t.Parallel()
	rows := regexp.MustCompile("(?m)^\\| [^|]*`([a-z]+)`[^|]* \\| (\\d+) \\| ([\\d.]+) MB \\|$").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	uses, err := os.ReadDir("testdata/uses")
	if err != nil || len(rows) != len(uses) {
		t.Fatalf("README.md has %d rows of weights, testdata/uses %d programs (%v)", len(rows), len(uses), err)
	}
	folder := t.TempDir()
	for _, row := range rows {
		program := "./internal/arch/testdata/uses/" + row[1]
		var modules []string
		for line := range strings.Lines(goCommand(t, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", program)) {
			if m := strings.TrimSpace(line); m != "" && m != module && !slices.Contains(modules, m) {
				modules = append(modules, m)
			}
		}
		binary := filepath.Join(folder, "program")
		goCommand(t, "build", "-trimpath", "-o", binary, program)
		info, err := os.Stat(binary)
		if err != nil {
			t.Fatal(err)
		}
		size := float64(info.Size()) / 1e6
		want, _ := strconv.ParseFloat(row[3], 64)
		if strconv.Itoa(len(modules)) != row[2] || size < want*(1-tolerance) || size > want*(1+tolerance) {
			t.Errorf("README.md: %s has %s modules and %s MB, got %s", row[1], row[2], row[3], fmt.Sprintf("%d modules and %.1f MB", len(modules), size))
		}
	}
}
