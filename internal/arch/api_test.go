package arch

import (
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

// TestAPIListing compares testdata/api.txt with what users of the module see: exported Go names, messages, metrics and
// environment variables.
func TestAPIListing(t *testing.T) {
	t.Parallel()
	listing := slices.Concat(goAPI(t), protoAPI(vitalspb.File_vitals_v1_report_proto), metricAPI(), variableAPI(t), instrumentAPI(t))
	slices.Sort(listing)
	if len(listing) < 500 {
		t.Fatalf("got %d lines, want at least 500: the test does not see the API", len(listing))
	}
	compareListing(t, "api.txt", listing)
}

// compareListing compares lines with those of a file of testdata, which -update writes.
func compareListing(t *testing.T, name string, got []string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(got, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := strings.Split(strings.TrimSpace(readFile(t, "internal/arch/"+filepath.ToSlash(path))), "\n")
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s lacks %s", name, line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s has %s, which is gone", name, line)
		}
	}
	if t.Failed() {
		t.Log("renew it with: go test ./internal/arch -run Listing -update; docs/versioning.md says what may change")
	}
}

// goAPI lists the exported names of the packages that users import, read from the compiler's export data.
func goAPI(t *testing.T) (listing []string) {
	t.Helper()
	exports, ours := map[string]string{}, []string{}
	for line := range strings.Lines(goCommand(t, "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "./...")) {
		path, export, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = export
		if isPublic(path) {
			ours = append(ours, path)
		}
	}
	compiled := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, path := range ours {
		pkg, err := compiled.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		listing = append(listing, packageAPI(pkg)...)
	}
	return listing
}

// isPublic reports whether users import a package by name. Generated messages are listed as messages.
func isPublic(path string) bool {
	rest, ours := strings.CutPrefix(path, module)
	return ours && (rest == "" || rest[0] == '/') && !strings.Contains(rest+"/", "/internal/") && !strings.HasSuffix(rest, "pb")
}

func packageAPI(pkg *types.Package) (listing []string) {
	qualifier := func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Name()
	}
	add := func(format string, args ...any) {
		listing = append(listing, "go "+strings.TrimPrefix(pkg.Path(), "github.com/vitals-go/")+": "+fmt.Sprintf(format, args...))
	}
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		object := scope.Lookup(name)
		if !object.Exported() {
			continue
		}
		defined, isType := object.(*types.TypeName)
		if constant, is := object.(*types.Const); is {
			add("const %s %s = %s", name, types.TypeString(constant.Type(), qualifier), constant.Val())
			continue
		}
		if !isType {
			add("%s", types.ObjectString(object, qualifier))
			continue
		}
		under := defined.Type().Underlying()
		structure, isStruct := under.(*types.Struct)
		if !isStruct {
			add("%s", types.ObjectString(object, qualifier))
		} else {
			add("type %s struct", name)
			for field := range structure.Fields() {
				if field.Exported() {
					add("field %s.%s %s", name, field.Name(), types.TypeString(field.Type(), qualifier))
				}
			}
		}
		if types.IsInterface(under) {
			continue
		}
		for method := range types.NewMethodSet(types.NewPointer(defined.Type())).Methods() {
			if method.Obj().Exported() {
				add("method %s.%s%s", name, method.Obj().Name(), strings.TrimPrefix(types.TypeString(method.Type(), qualifier), "func"))
			}
		}
	}
	return listing
}

// protoAPI lists services, methods, messages and fields with their numbers.
func protoAPI(file protoreflect.FileDescriptor) (listing []string) {
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		for j := range service.Methods().Len() {
			method := service.Methods().Get(j)
			listing = append(listing, fmt.Sprintf("proto rpc %s(%s) %s, streamed %t", method.FullName(), method.Input().FullName(), method.Output().FullName(), method.IsStreamingServer()))
		}
	}
	for i := range file.Messages().Len() {
		listing = append(listing, messageAPI(file.Messages().Get(i))...)
	}
	return listing
}

func messageAPI(message protoreflect.MessageDescriptor) (listing []string) {
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		kind := field.Kind().String()
		if field.Message() != nil {
			kind = string(field.Message().FullName())
		}
		listing = append(listing, fmt.Sprintf("proto field %s = %d %s %s", field.FullName(), field.Number(), field.Cardinality(), kind))
	}
	for i := range message.Messages().Len() {
		listing = append(listing, messageAPI(message.Messages().Get(i))...)
	}
	return listing
}

func metricAPI() (listing []string) {
	for _, f := range promvitals.Families() {
		var labels []string
		for _, pair := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, pair.GetName())
		}
		listing = append(listing, fmt.Sprintf("prometheus %s %s %v", f.GetName(), strings.ToLower(f.GetType().String()), labels))
	}
	return listing
}

// variableAPI lists the environment variables and their defaults, as ConfigFromEnv documents them.
func variableAPI(t *testing.T) (listing []string) {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?m)^//\t(PLUGIN_[A-Z_]+) +(\S+)`).FindAllStringSubmatch(readFile(t, "env.go"), -1) {
		listing = append(listing, "environment "+found[1]+" "+found[2])
	}
	return listing
}

// instrumentAPI lists the instruments of OpenTelemetry from the page of operations, which another test compares with the
// sources.
func instrumentAPI(t *testing.T) (listing []string) {
	t.Helper()
	_, section, _ := strings.Cut(readFile(t, "docs/operations.md"), "\n## Prometheus\n")
	for _, found := range regexp.MustCompile("(?m)^\\| `[a-z_]+` \\| [a-z]+ \\| [^|]*\\| `([a-z_.]+)` \\|").FindAllStringSubmatch(section, -1) {
		for _, name := range []string{found[1], strings.Replace(found[1], ".server.", ".client.", 1)} { // the page has the servers' only
			if line := "opentelemetry " + name; !slices.Contains(listing, line) && !strings.HasSuffix(name, ".client.panics") {
				listing = append(listing, line)
			}
		}
	}
	return listing
}

// goCommand returns the output of a go command at the root of the repository.
func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v", args, err)
	}
	return string(out)
}
