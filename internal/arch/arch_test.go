// Package arch holds the rules about the shape of the whole repository, as tests.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/vitals-go/vitals"
	root   = "../.."
)

// arrows lists, for each folder at the top, which other ones its packages may import. Every folder must be listed. The
// modules bench, examples and internal/e2e are outside of the picture and may import all.
var arrows = map[string][]string{
	"":            {"probes", "otel", "servicer", "checker", "breaker", "interceptor", "internal"},
	"probes":      {"servicer", "checker", "breaker", "interceptor", "internal"},
	"otel":        {"servicer", "checker", "breaker", "interceptor", "internal"},
	"servicer":    {"checker", "breaker", "interceptor", "internal"},
	"checker":     {"internal"},
	"breaker":     {"internal"},
	"interceptor": {"internal"},
	"internal":    {},
}

// generated is the one package of another folder that checker imports: the messages of the report, which import nothing of ours.
const generated = "servicer/vitalspb"

// outside lists the modules beside the standard library that a package and everything below it may import, by the
// longest matching folder. Tests may import what they like.
var outside = map[string][]string{
	"": {
		"google.golang.org/grpc", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/trace",
	},
	"interceptor":        {"google.golang.org/grpc", "github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"},
	"checker":            {},
	"checker/resource":   {"github.com/shirou/gopsutil/v3"},
	"checker/dependency": {"google.golang.org/grpc"},
	"breaker": {
		"github.com/sony/gobreaker/v2",
		"google.golang.org/grpc/codes", "google.golang.org/grpc/status", // of a rejection
	},
	"breaker/grpcbreaker": {
		"google.golang.org/grpc", "google.golang.org/genproto/googleapis/rpc",
	},
	"breaker/httpbreaker": {},
	"breaker/sqlbreaker":  {},
	"servicer": {
		"google.golang.org/grpc", "google.golang.org/protobuf",
	},
	"servicer/healthclient": {"google.golang.org/grpc"},
	"servicer/orcavitals":   {"google.golang.org/grpc", "google.golang.org/protobuf", "github.com/cncf/xds/go"},
	"probes":                {"google.golang.org/grpc"},
	"probes/promvitals": {
		"github.com/prometheus", "google.golang.org/grpc", "google.golang.org/protobuf", "go.opentelemetry.io/otel/trace",
	},
	"otel": { // the API only: otelproducer links the SDK
		"go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/codes", "go.opentelemetry.io/otel/metric",
		"go.opentelemetry.io/otel/trace", "google.golang.org/grpc",
	},
	"otel/otelproducer":     {"go.opentelemetry.io/otel", "google.golang.org/grpc"},
	"internal":              {},
	"internal/opencalls":    {"google.golang.org/grpc"},
	"internal/clientstream": {"google.golang.org/grpc"},
	"internal/rejection": {
		"google.golang.org/grpc/codes", "google.golang.org/grpc/status", "google.golang.org/genproto/googleapis/rpc",
		"google.golang.org/protobuf/protoadapt", "google.golang.org/protobuf/types/known/durationpb",
	},
	"internal/connlimit": {"golang.org/x/sys/unix"}, // TCP_INFO
}

// allowedTopLevel is what the top of the repository may hold.
var allowedTopLevel = []string{
	".ci", ".git", ".github", ".gitignore", ".golangci.yml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md",
	"SECURITY.md", "bench", "breaker", "checker", "docs", "examples", "go.mod", "go.sum", "go.work", "go.work.sum",
	"interceptor", "internal", "otel", "probes", "servicer", "tools",
}

func TestImportsFollowThePicture(t *testing.T) {
	seen := 0
	for file, imports := range sources(t) {
		dir := path.Dir(file)
		from := folder(dir)
		allowed, known := arrows[from]
		if !known {
			t.Errorf("%s: folder %q is not listed in arrows", file, from)
			continue
		}
		for _, imported := range imports {
			if to, ours := strings.CutPrefix(imported, module); ours {
				to = strings.TrimPrefix(to, "/")
				seen++
				if folder(to) != from && !slices.Contains(allowed, folder(to)) && to != generated {
					t.Errorf("%s imports %s: %q may not import %q", file, imported, from, folder(to))
				}
			} else if strings.Contains(strings.Split(imported, "/")[0], ".") && !fits(imported, outsideOf(dir)) {
				t.Errorf("%s imports %s: %q may import only %v beside the standard library", file, imported, dir, outsideOf(dir))
			}
		}
	}
	if seen < 10 {
		t.Fatalf("got %d imports of this module, want at least 10: wrong folder?", seen)
	}
}

func TestTopLevelHoldsOnlyListedFiles(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(allowedTopLevel, e.Name()) && filepath.Ext(e.Name()) != ".go" {
			t.Errorf("%s is not listed in allowedTopLevel", e.Name())
		}
	}
}

func TestEveryPackageHasADocComment(t *testing.T) {
	documented := map[string]bool{}
	for file := range sources(t) {
		dir := path.Dir(file)
		if strings.Contains("/"+dir+"/", "/internal/") || strings.HasSuffix(dir, "pb") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		documented[dir] = documented[dir] || parsed.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// sources maps each non-test Go file of the root module to its imports.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || ownModule(p)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[rel] = []string{}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			files[rel] = append(files[rel], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func ownModule(dir string) bool {
	if filepath.Clean(dir) == filepath.Clean(root) {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// folder is the first element of a package's folder: "checker" for checker/resource, "" for the root.
func folder(dir string) string {
	if dir == "." {
		return ""
	}
	first, _, _ := strings.Cut(dir, "/")
	return first
}

func outsideOf(dir string) []string {
	for dir != "." && dir != "" {
		if list, ok := outside[dir]; ok {
			return list
		}
		dir = path.Dir(dir)
	}
	return outside[""]
}

func fits(imported string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(prefix string) bool {
		return imported == prefix || strings.HasPrefix(imported, prefix+"/")
	})
}
