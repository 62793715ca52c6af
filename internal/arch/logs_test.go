package arch

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOnlyAsynclogCallsLogHandlers type-checks the library: a slog.Handler is code of the user, which may block, panic or
// end its goroutine, and internal/asynclog is the one place that survives this.
func TestOnlyAsynclogCallsLogHandlers(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}\t{{.Dir}}\t{{join .GoFiles \" \"}}", "./...")
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports, packages := map[string]string{}, map[string][]string{}
	for line := range strings.Lines(string(out)) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		exports[field[0]] = field[1]
		if field[0] != module+"/internal/asynclog" && (field[0] == module || strings.HasPrefix(field[0], module+"/")) {
			for name := range strings.FieldsSeq(field[3]) {
				packages[field[0]] = append(packages[field[0]], filepath.Join(field[2], name))
			}
		}
	}
	files := token.NewFileSet()
	config := types.Config{Importer: importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	seen := 0
	for path, names := range packages {
		var parsed []*ast.File
		for _, name := range names {
			file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, file)
		}
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
		if _, err := config.Check(path, files, parsed, info); err != nil {
			t.Fatal(err)
		}
		for _, mistake := range handlerCalls(parsed, info) {
			t.Errorf("%v calls a log handler directly: log through internal/asynclog", files.Position(mistake))
		}
		for _, object := range info.Uses {
			if object.Name() == "Log" && object.Pkg() != nil && object.Pkg().Path() == module+"/internal/asynclog" {
				seen++
			}
		}
	}
	if seen < 20 {
		t.Errorf("got %d calls of asynclog's Log, want at least 20: the test does not see them", seen)
	}
}

// handlerCalls returns where files use a function of log/slog that calls a handler: the methods of Logger and Handler, and
// the functions that use the default logger.
func handlerCalls(files []*ast.File, info *types.Info) (mistakes []token.Pos) {
	harmless := map[*ast.Ident]bool{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
				if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "NewLogLogger" {
					harmless[f.Sel] = strings.HasSuffix(info.Types[call.Args[0]].Type.String(), "internal/asynclog.Handler")
				}
			}
			return true
		})
	}
	for id, object := range info.Uses {
		f, ok := object.(*types.Func)
		if !ok || f.Pkg() == nil || f.Pkg().Path() != "log/slog" || harmless[id] {
			continue
		}
		receiver := f.Signature().Recv()
		switch {
		case receiver != nil:
			if kind := receiver.Type().String(); kind == "*log/slog.Logger" || kind == "log/slog.Handler" {
				mistakes = append(mistakes, id.Pos())
			}
		case f.Name() == "Default", strings.HasPrefix(f.Name(), "New") && f.Name() != "NewLogLogger", f.Signature().Results().Len() == 1 && f.Signature().Results().At(0).Type().String() == "log/slog.Attr":
		default:
			mistakes = append(mistakes, id.Pos())
		}
	}
	return mistakes
}

// TestHandlerCallsAreFound runs the rule over a package that breaks it in every way.
func TestHandlerCallsAreFound(t *testing.T) {
	t.Parallel()
	const code = `package p
import ("context"; "log/slog")
func f(l *slog.Logger, h slog.Handler) {
	l.Info("1"); l.With("a", 1); slog.Error("3"); slog.NewLogLogger(h, 0)
	_ = h.Handle(context.Background(), slog.Record{}); h.Enabled(context.Background(), 0)
	g := l.Warn; g("7")
	_ = slog.String("a", slog.LevelInfo.String()); _ = slog.New(h)
}`
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "p.go", bytes.NewBufferString(code), 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: importer.ForCompiler(files, "source", nil)}
	if _, err := config.Check("p", files, []*ast.File{file}, info); err != nil {
		t.Fatal(err)
	}
	if got := handlerCalls([]*ast.File{file}, info); len(got) != 7 {
		t.Errorf("got %d calls, want 7: %v", len(got), got)
	}
}
