package docs_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

const operations = "docs/operations.md"

// row is a row of a table: its cells, and the line where it stands.
type row struct {
	line  int
	cells []string
}

// names are what stands between backquotes in the first cell.
func (r row) names() []string { return spans(r.cells[0]) }

// table returns the rows of all tables below a heading of the page of operations, up to the next heading of any level.
func table(t *testing.T, title string) []row {
	t.Helper()
	var rows []row
	below, header := false, true
	for _, p := range readPages(t) {
		if p.path != operations {
			continue
		}
		for _, l := range p.prose {
			if found := heading.FindStringSubmatch(l.text); found != nil {
				below, header = found[1] == title, true
				continue
			}
			isRow := strings.HasPrefix(l.text, "|")
			switch {
			case !below || !isRow:
				header = header || !isRow
			case strings.HasPrefix(l.text, "|---"):
				header = false
			case !header:
				// A bar in a cell is written \|.
				cells := regexp.MustCompile(`(?:[^|\\]|\\.)+`).FindAllString(strings.Trim(l.text, "|"), -1)
				for i := range cells {
					cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), `\|`, "|")
				}
				rows = append(rows, row{l.number, cells})
			}
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table below %q", operations, title)
	}
	return rows
}

// compare fails for what is there and not documented, documented and not there, or documented twice.
func compare(t *testing.T, title string, there []string) map[string]row {
	t.Helper()
	documented := map[string]row{}
	for _, r := range table(t, title) {
		for _, name := range r.names() {
			if _, twice := documented[name]; twice {
				t.Errorf("%s:%d: %q stands there twice", operations, r.line, name)
			}
			documented[name] = r
			if !slices.Contains(there, name) {
				t.Errorf("%s:%d: %q is documented below %q and does not exist", operations, r.line, name, title)
			}
		}
	}
	for _, name := range there {
		if _, found := documented[name]; !found {
			t.Errorf("%s does not document %q below %q", operations, name, title)
		}
	}
	return documented
}

// known reports whether Prometheus gets a metric of that name: those of clients are documented with those of servers.
func known(metric string) bool {
	return slices.ContainsFunc(promvitals.Families(), func(f *dto.MetricFamily) bool { return f.GetName() == metric })
}

func TestMetricsAreDocumented(t *testing.T) {
	var names []string
	for _, f := range promvitals.Families() {
		if name := f.GetName(); !strings.HasPrefix(name, "grpc_client_") || !known(strings.Replace(name, "client", "server", 1)) {
			names = append(names, name)
		}
	}
	documented := compare(t, "Prometheus", names)
	for _, f := range promvitals.Families() {
		r, found := documented[f.GetName()]
		if !found {
			continue
		}
		var want []string
		for _, pair := range f.GetMetric()[0].GetLabel() {
			want = append(want, pair.GetName())
		}
		kind := strings.ToLower(f.GetType().String())
		if len(r.cells) != 5 || !slices.Equal(spans(r.cells[2]), want) || r.cells[1] != kind {
			t.Errorf("%s:%d: %s is a %s with the labels %s", operations, r.line, f.GetName(), kind, want)
		}
	}
}

// TestInstrumentsAreDocumented finds the names in the sources of the exporter and of the producer.
func TestInstrumentsAreDocumented(t *testing.T) {
	var names []string
	for _, file := range sources(t, "otel") {
		ast.Inspect(file, func(n ast.Node) bool {
			if field, ok := n.(*ast.KeyValueExpr); ok {
				if key, isName := field.Key.(*ast.Ident); isName && key.Name == "Name" && strings.Contains(template(field.Value), ".") {
					names = append(names, template(field.Value))
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || !slices.Contains([]string{"upDown", "counter", "gauge", "add"}, called(call)) || len(call.Args) != 3 {
				return true
			}
			name := template(call.Args[0])
			if name == "…" { // add with a name that is a constant
				return true
			}
			if rest, sided := strings.CutPrefix(name, "…"); sided {
				names = append(names, "vitals.rpc.server."+rest, "vitals.rpc.client."+rest)
			} else {
				names = append(names, name)
			}
			return true
		})
	}
	for _, c := range constants(t, "otel") {
		if strings.HasSuffix(c.value, ".duration") {
			names = append(names, c.value)
		}
	}
	documented := map[string]bool{}
	for _, r := range table(t, "Prometheus") {
		for _, name := range spans(r.cells[3]) {
			documented[name] = true
			if !slices.Contains(names, name) {
				t.Errorf("%s:%d: there is no instrument %s", operations, r.line, name)
			}
		}
	}
	for _, name := range names {
		if !documented[strings.Replace(name, ".client.", ".server.", 1)] {
			t.Errorf("%s does not document the instrument %s", operations, name)
		}
	}
}

// spans returns the texts between backquotes.
func spans(cell string) []string {
	found := codeSpan.FindAllString(cell, -1)
	for i := range found {
		found[i] = strings.Trim(found[i], "`")
	}
	return found
}

func TestVocabularyIsDocumented(t *testing.T) {
	var statuses, reasons, phases, states []string
	for s := checker.Unknown; s <= checker.Critical; s++ {
		statuses = append(statuses, s.String())
	}
	for r := checker.Reason(0); !strings.HasPrefix(r.String(), "reason("); r++ {
		reasons = append(reasons, r.String())
	}
	for p := servicer.Phase(0); !strings.HasPrefix(p.String(), "phase("); p++ {
		phases = append(phases, p.String())
	}
	for s := breaker.Closed; s <= breaker.Open; s++ {
		states = append(states, s.String())
	}
	compare(t, "Statuses", statuses)
	compare(t, "Reasons", reasons)
	compare(t, "Phases", phases)
	compare(t, "Breaker states", states)
}

// TestVariablesAreDocumented compares the doc comment of ConfigFromEnv with the page and with what the code reads.
func TestVariablesAreDocumented(t *testing.T) {
	source := read(t, "env.go")
	read := unique(regexp.MustCompile(`(?:parse\(e, |Variable += )"(PLUGIN_[A-Z_]+)"`).FindAllStringSubmatch(source, -1))
	read = slices.DeleteFunc(read, func(name string) bool { return name == "PLUGIN_PROTOCOL_VERSIONS" }) // go-plugin's own
	defaults := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^//\t(PLUGIN_[A-Z_]+) +(\S+)`).FindAllStringSubmatch(source, -1) {
		defaults[found[1]] = found[2]
	}
	documented := compare(t, "Variables", read)
	for _, name := range read {
		want, found := defaults[name]
		if !found {
			t.Errorf("env.go: ConfigFromEnv does not document %s", name)
			continue
		}
		if want == "–" {
			want = ""
		}
		if r, found := documented[name]; found && strings.Join(spans(r.cells[1]), "") != want {
			t.Errorf("%s:%d: the default of %s is %q, says env.go", operations, r.line, name, want)
		}
	}
	for name := range defaults {
		if !slices.Contains(read, name) {
			t.Errorf("env.go: ConfigFromEnv documents %s, which is not read", name)
		}
	}
}

// TestVariablesOfTheExampleAreInItsHelp compares what `server -h` prints with what the server reads.
func TestVariablesOfTheExampleAreInItsHelp(t *testing.T) {
	var source strings.Builder
	for _, file := range []string{"config.go", "tls.go", "telemetry.go"} {
		source.WriteString(read(t, "examples/server/"+file))
	}
	variables := unique(regexp.MustCompile(`variable\("([A-Z_]+)"`).FindAllStringSubmatch(source.String(), -1))
	_, help, _ := strings.Cut(read(t, "examples/server/config.go"), "const usage = `")
	help, _, _ = strings.Cut(help, "`")
	for _, name := range variables {
		if !strings.Contains(help, "\n"+name+" ") {
			t.Errorf("server -h does not list %s", name)
		}
	}
	if len(variables) < 10 {
		t.Fatalf("got %v, want at least 10", variables)
	}
}

func TestPathsAreDocumented(t *testing.T) {
	var paths []string
	source := read(t, "probes/handler.go")
	_, body, _ := strings.Cut(source, ") route(path string)")
	for _, found := range regexp.MustCompile(`(?m)^\s+case (".*"):`).FindAllStringSubmatch(body, -1) {
		for path := range strings.SplitSeq(found[1], ", ") {
			if path = strings.Trim(path, `"`); strings.HasPrefix(path, "/") {
				paths = append(paths, path)
			}
		}
	}
	if strings.Contains(body, `CutPrefix(path, "/health/")`) {
		paths = append(paths, "/health/<name>")
	}
	compare(t, "Paths", paths)
}

func TestExitCodesAreDocumented(t *testing.T) {
	source := read(t, "probes/healthcheck/main.go")
	compare(t, "Exit codes", unique(regexp.MustCompile(`(?m)^\texit[A-Z]\w+ += (\d+)`).FindAllStringSubmatch(source, -1)))
}

// TestReportMetricsAreDocumented finds the names in the sources: constants of servicer, names of resource checks.
func TestReportMetricsAreDocumented(t *testing.T) {
	var names []string
	for _, c := range constants(t, "servicer") {
		if strings.HasPrefix(c.name, "metric") {
			names = append(names, c.value+map[bool]string{true: "<name>"}[strings.HasSuffix(c.value, "_")])
		}
	}
	for _, c := range constants(t, "checker/resource") {
		if regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(c.value) && regexp.MustCompile(`^[a-z]+([A-Z]\w*)?$`).MatchString(c.name) {
			names = append(names, c.value)
		}
	}
	compare(t, "Metrics of the report", append(names, "request_success_rate_<service>", "main_listener"))
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unique returns the first group of each match, once.
func unique(matches [][]string) []string {
	var all []string
	for _, m := range matches {
		if !slices.Contains(all, m[1]) {
			all = append(all, m[1])
		}
	}
	return all
}
