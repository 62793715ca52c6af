package probes_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A path that the handler knows and the list of doors does not is one at which nobody has looked for secrets.
func TestEveryRouteIsListedInEndpoints(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "handler.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Name.Name == "route" {
			ast.Inspect(f, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == gotoken.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil && strings.HasPrefix(text, "/") {
						routes = append(routes, text)
					}
				}
				return true
			})
		}
	}
	if len(routes) < 9 {
		t.Fatalf("only %q are found", routes)
	}
	for _, route := range routes {
		if !slices.ContainsFunc(endpoints(), func(endpoint string) bool {
			path, _, _ := strings.Cut(endpoint, "?")
			return path == route || strings.HasSuffix(route, "/") && strings.HasPrefix(path, route)
		}) {
			t.Errorf("%s is not listed: add it to endpoints, and to secrets_test.go of the root package", route)
		}
	}
}
