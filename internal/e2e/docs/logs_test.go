package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// constant is a string constant of a package.
type constant struct{ name, value string }

// sources parses the Go files below a folder of the root module, but for tests.
func sources(t *testing.T, folder string) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	base := filepath.Join(root, folder)
	err := filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"examples", "bench", "internal/e2e", "tools", "testdata"}, filepath.ToSlash(rel))) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		files[filepath.ToSlash(rel)], err = parser.ParseFile(token.NewFileSet(), path, nil, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func constants(t *testing.T, folder string) []constant {
	t.Helper()
	var all []constant
	for _, file := range sources(t, folder) {
		for _, d := range file.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.CONST {
				continue
			}
			for _, spec := range gen.Specs {
				value := spec.(*ast.ValueSpec)
				if len(value.Values) == 1 {
					if text, ok := literal(value.Values[0]); ok {
						all = append(all, constant{value.Names[0].Name, text})
					}
				}
			}
		}
	}
	return all
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// template writes a message as the page does, with … where it is not constant; empty if nothing is.
func template(e ast.Expr) string {
	if text, ok := literal(e); ok {
		return text
	}
	sum, ok := e.(*ast.BinaryExpr)
	if !ok || sum.Op != token.ADD {
		return "…"
	}
	text := template(sum.X) + template(sum.Y)
	for strings.Contains(text, "……") {
		text = strings.ReplaceAll(text, "……", "…")
	}
	return text
}

// elsewhere names, for calls whose message is a variable, where the test finds the messages.
var elsewhere = map[string]string{
	"checker/log.go":                "returns of message in checker/result.go",
	"internal/asynclog/asynclog.go": "calls of Log",
	"probes/file.go":                "calls of logError",
	"servicer/log.go":               "assignments to text in the same file",
	"servicer/orcavitals/sample.go": "assignments to message in the same file",
}

// TestLogLinesAreDocumented finds every message that the library can log.
func TestLogLinesAreDocumented(t *testing.T) {
	var messages []string
	keys := map[string]bool{}
	for path, file := range sources(t, ".") {
		add := func(e ast.Expr) {
			if text := template(e); text != "…" {
				messages = append(messages, text)
			} else if _, known := elsewhere[path]; !known {
				t.Errorf("%s logs a message that this test cannot read", path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if message := loggedMessage(n); message != nil {
					add(message)
				}
				if key := attribute(n); key != "" {
					keys[key] = true
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					id, ok := to.(*ast.Ident)
					if ok && len(n.Lhs) == len(n.Rhs) && elsewhere[path] == "assignments to "+id.Name+" in the same file" {
						add(n.Rhs[i])
					}
				}
			case *ast.FuncDecl:
				if path == "checker/result.go" && n.Name.Name == "message" {
					messages = append(messages, returned(n)...)
				}
			}
			return true
		})
	}
	messages = append(messages, "… at …") // which message in checker/result.go puts together in two steps
	slices.Sort(messages)
	documented := compare(t, "Log lines", slices.Compact(messages))
	page := read(t, operations)
	for key := range keys {
		if !strings.Contains(page, "`"+key+"`") {
			t.Errorf("%s does not explain the attribute %s of log lines", operations, key)
		}
	}
	if len(documented) < 20 || len(keys) < 10 {
		t.Errorf("%d messages and %d attributes found: the test does not see them", len(documented), len(keys))
	}
}

// loggedMessage returns the message of a call that logs, nil for other calls.
func loggedMessage(call *ast.CallExpr) ast.Expr {
	argument := -1
	switch name := called(call); {
	case name == "LogContext":
		argument = 2
	case name == "Log" && isLogger(call):
		argument = 1
	case name == "logError":
		argument = 0
	}
	if argument < 0 || argument >= len(call.Args) {
		return nil
	}
	return call.Args[argument]
}

// returned returns the constant texts that a function returns.
func returned(f *ast.FuncDecl) []string {
	var texts []string
	ast.Inspect(f, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
			if text := template(r.Results[0]); text != "…" {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// isLogger reports whether the call is one of asynclog's, as far as names tell.
func isLogger(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch on := s.X.(type) {
	case *ast.Ident:
		return on.Name == "log"
	case *ast.SelectorExpr:
		return on.Sel.Name == "log"
	}
	return false
}

// attribute returns the key of a call such as slog.String("key", …).
func attribute(call *ast.CallExpr) string {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) != 2 {
		return ""
	}
	if on, ok := s.X.(*ast.Ident); !ok || on.Name != "slog" {
		return ""
	}
	key, _ := literal(call.Args[0])
	return key
}
