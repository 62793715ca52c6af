package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wallClock lists the files of the library that call a function which drops the monotonic reading of a time or makes a time
// without one, with the reason. Such a time must not be compared or subtracted: the wall clock can be set.
var wallClock = map[string]string{
	"checker/dependency/certificate.go":    "the date in a message",
	"checker/dependency/tcp.go":            "a deadline in the past",
	"internal/wallclock/wallclock.go":      "compares both clocks",
	"lastwords.go":                         "text",
	"otel/health.go":                       "a timestamp for other processes",
	"probes/file.go":                       "a timestamp for other processes",
	"probes/internal/response/document.go": "text",
	"probes/promvitals/exemplar.go":        "a timestamp for other processes",
	"probes/promvitals/health.go":          "a timestamp for other processes",
	"probes/promvitals/metric.go":          "a timestamp for other processes",
	"probes/statuspage/format.go":          "text",
	"servicer/messages.go":                 "text",
	"servicer/override.go":                 "text",
}

// stripping are the names of such functions. Round counts with the argument 0 only, as a Duration has that method too; New is
// that of timestamppb.
var stripping = []string{
	"UTC", "Local", "In", "Round", "AsTime", "Unix", "UnixNano", "UnixMilli", "UnixMicro", "Parse", "ParseInLocation", "Date", "New",
}

func TestTimesKeepTheirMonotonicReading(t *testing.T) {
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if entry.IsDir() {
			if slices.Contains([]string{"examples", "bench", "tools", "internal/e2e", ".git"}, name) || entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".pb.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if call, is := node.(*ast.CallExpr); is && strips(call) {
				found[name] = true
				if wallClock[name] == "" {
					t.Errorf("%s: the time has no monotonic reading after this call", set.Position(call.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range wallClock {
		if !found[name] {
			t.Errorf("%s is listed, but has no such call", name)
		}
	}
}

func strips(call *ast.CallExpr) bool {
	selector, is := call.Fun.(*ast.SelectorExpr)
	if !is || !slices.Contains(stripping, selector.Sel.Name) {
		return false
	}
	of, _ := selector.X.(*ast.Ident)
	switch selector.Sel.Name {
	case "Round":
		argument, is := call.Args[0].(*ast.BasicLit)
		return is && argument.Value == "0"
	case "Parse", "ParseInLocation", "Date":
		return of != nil && of.Name == "time"
	case "New":
		return of != nil && of.Name == "timestamppb"
	}
	return true
}
