package docs_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestGoCompiles builds every Go block with the real compiler. The files exist in an overlay only; errors name the page
// and the line. The workspace lets a block use what any module of the repository has, such as the library that a page
// tells how to leave.
func TestGoCompiles(t *testing.T) {
	prelude := readPrelude(t)
	folder := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	args := []string{"build", "-overlay", filepath.Join(folder, "overlay.json"), "-gcflags=-e"}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range blocksOf(t, "go") {
		if strings.HasPrefix(b.note, runNote) {
			continue
		}
		source, err := complete(b, prelude)
		if err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
			continue
		}
		name := fmt.Sprintf("block%d", i)
		real := filepath.Join(folder, name+".go")
		if err := os.WriteFile(real, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay["Replace"][filepath.Join(here, name, "block.go")] = real
		args = append(args, "./"+name)
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "overlay.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(overlay["Replace"]) < 3 {
		t.Fatalf("only %d blocks of Go: the test does not see them", len(overlay["Replace"]))
	}
	build := exec.CommandContext(t.Context(), "go", args...)
	build.Env = append(os.Environ(), "GOWORK="+filepath.Join(here, root, "go.work"), "GOFLAGS=-buildvcs=false")
	if output, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// complete makes a file of a block: a fragment gets a package, imports, a function around its statements, and from the
// prelude what it does not declare itself.
func complete(b block, prelude prelude) (string, error) {
	at := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
	if file, err := parser.ParseFile(token.NewFileSet(), "", b.text, parser.ImportsOnly); err == nil {
		if file.Name.Name == "main" && !strings.Contains(b.text, "func main()") {
			return at + b.text + "\nfunc main() {}\n", nil
		}
		return at + b.text, nil
	}
	const before, around = "package block\n", "func _() error {\n"
	body, tail := before+at+b.text, ""
	file, err := parser.ParseFile(token.NewFileSet(), "", body, 0)
	if err != nil {
		// Line directives may not stand within a function's first line, so they come on lines of their own.
		text := use(before+around, b.text)
		body, tail = before+around+at+text, "\n}\n"
		if file, err = parser.ParseFile(token.NewFileSet(), "", body+tail, 0); err != nil {
			return "", err
		}
		if !ends(file) {
			tail = "\nreturn nil\n}\n"
		}
	}
	var imports, helpers strings.Builder
	missing := names(file.Unresolved)
	taken := map[ast.Decl]bool{}
	for i := 0; i < len(missing); i++ { // it grows by what helpers need
		if path, known := imported[missing[i]]; known {
			fmt.Fprintf(&imports, "import %s %q\n", missing[i], path)
			continue
		}
		for _, d := range prelude.file.Decls {
			if !declares(d, missing[i]) || taken[d] {
				continue
			}
			taken[d] = true
			text, needs := prelude.declaration(d)
			helpers.WriteString(text)
			for _, name := range needs {
				if !slices.Contains(missing, name) {
					missing = append(missing, name)
				}
			}
		}
	}
	rest := strings.TrimPrefix(body, before)
	return before + imports.String() + helpers.String() + rest + tail, nil
}

// use makes every variable that a fragment declares a used one, because what happens to it may be told elsewhere.
func use(head, text string) string {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", head+text+"\n}", 0)
	if err != nil {
		return text
	}
	statements := file.Decls[0].(*ast.FuncDecl).Body.List
	for _, s := range slices.Backward(statements) {
		assign, ok := s.(*ast.AssignStmt)
		if !ok || assign.Tok != token.DEFINE {
			continue
		}
		var used strings.Builder
		for _, left := range assign.Lhs {
			if name, ok := left.(*ast.Ident); ok && name.Name != "_" {
				used.WriteString("; _ = " + name.Name)
			}
		}
		end := set.Position(assign.End()).Offset - len(head)
		text = text[:end] + used.String() + text[end:]
	}
	return text
}

// ends reports whether the function of a fragment ends with a return of its own.
func ends(file *ast.File) bool {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && len(f.Body.List) > 0 {
			_, returns := f.Body.List[len(f.Body.List)-1].(*ast.ReturnStmt)
			return returns
		}
	}
	return false
}

func names(idents []*ast.Ident) []string {
	var all []string
	for _, i := range idents {
		if !slices.Contains(all, i.Name) {
			all = append(all, i.Name)
		}
	}
	return all
}

// prelude is testdata/prelude.go: what fragments use without declaring it.
type prelude struct {
	file   *ast.File
	source string
}

func readPrelude(t *testing.T) prelude {
	t.Helper()
	source, err := os.ReadFile("testdata/prelude.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "prelude.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	return prelude{file, string(source)}
}

// declaration returns the text of a declaration, and the names that it needs.
func (p prelude) declaration(d ast.Decl) (text string, needs []string) {
	ast.Inspect(d, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			needs = append(needs, id.Name)
		}
		return true
	})
	return p.source[d.Pos()-1:d.End()-1] + "\n", needs
}

func declares(d ast.Decl, name string) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name == name
		}
		of := d.Recv.List[0].Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		id, ok := of.(*ast.Ident)
		return ok && id.Name == name
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.Name == name {
					return true
				}
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					if id.Name == name {
						return true
					}
				}
			}
		}
	}
	return false
}

// TestPreludeIsUsed keeps the prelude from growing beyond what pages need.
func TestPreludeIsUsed(t *testing.T) {
	var all strings.Builder
	for _, b := range blocksOf(t, "go") {
		all.WriteString(b.text)
	}
	for _, d := range readPrelude(t).file.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok == token.IMPORT {
			continue
		}
		for _, spec := range gen.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if ok && !strings.Contains(all.String(), value.Names[0].Name) {
				t.Error(strconv.Quote(value.Names[0].Name), "is in the prelude and on no page")
			}
		}
	}
}
