package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryFunctionHasAnExample requires an Example for each exported function of a package that users import.
func TestEveryFunctionHasAnExample(t *testing.T) {
	dirs := map[string]bool{}
	for file := range sources(t) {
		dirs[path.Dir(file)] = true
	}
	found := 0
	for dir := range dirs {
		if strings.Contains("/"+dir+"/", "/internal/") || strings.HasSuffix(dir, "pb") {
			continue
		}
		functions, examples := functionsOf(t, dir)
		for name := range functions {
			found++
			if !examples["Example"+name] {
				t.Errorf("%s.%s has no Example%s", dir, name, name)
			}
		}
	}
	if found < 20 {
		t.Fatalf("got %d functions, want at least 20: wrong folder?", found)
	}
}

// functionsOf returns the exported functions of a package, and the examples beside it, both without suffixes.
func functionsOf(t *testing.T, dir string) (functions, examples map[string]bool) {
	t.Helper()
	functions, examples = map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		test := strings.HasSuffix(file, "_test.go")
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(f.Name.Name, "_")
			switch {
			case test && strings.HasPrefix(name, "Example"):
				examples[name] = true
			case !test:
				functions[name] = true
			}
		}
	}
	return functions, examples
}
