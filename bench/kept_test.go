package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/bench/internal/chart"
	"github.com/vitals-go/vitals/bench/internal/fleet"
	"github.com/vitals-go/vitals/bench/internal/result"
)

const remake = "go run ./bench -from bench/results.json -json bench/results.json -out bench/RESULTS.md -charts docs/charts -fleet bench/FLEET.md"

func keptResults(t *testing.T) *result.Run {
	t.Helper()
	kept, err := result.Load("results.json")
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// RESULTS.md, the charts and the fleet page are made from results.json.
func TestKeptFilesAreMadeFromTheResults(t *testing.T) {
	kept := keptResults(t)
	page, err := fleet.Page(kept)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"RESULTS.md": kept.Markdown(), "FLEET.md": page}
	for name, drawing := range chart.All(kept) {
		want[filepath.Join("..", "docs", "charts", name)] = drawing
	}
	for path, text := range want {
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%s differs from results.json (%v): run %s", path, err, remake)
		}
	}
	drawn, err := filepath.Glob("../docs/charts/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range drawn {
		if want[path] == "" {
			t.Errorf("%s is drawn from nothing", path)
		}
	}
}

func TestChaptersAreExperiments(t *testing.T) {
	for _, c := range keptResults(t).Chapters {
		if !slices.ContainsFunc(experiments, func(e experiment) bool { return e.name == c.Name }) {
			t.Errorf("nothing measures the chapter %s", c.Name)
		}
	}
}

// Every goal has a margin or a reason why -check does not check it. Goals that are not in the kept results yet are found in
// the source.
func TestEveryGoalHasAMargin(t *testing.T) {
	reasons := map[string]margin{}
	for _, m := range margins {
		if _, twice := reasons[m.what]; twice {
			t.Errorf("%q is there twice", m.what)
		}
		if m.why == "" || m.factor != 0 && m.factor < 1 {
			t.Errorf("%q has the factor %v for the reason %q", m.what, m.factor, m.why)
		}
		reasons[m.what] = m
	}
	for _, c := range keptResults(t).Chapters {
		for _, g := range c.Goals {
			m, found := reasons[g.What]
			if found != g.Promised() {
				t.Errorf("%q: promised is %v, but a margin is %v", g.What, g.Promised(), found)
			}
			if m.factor != 0 && !slices.Contains(gated, c.Name) {
				t.Errorf("%q has a factor, but -check does not measure %s", g.What, c.Name)
			}
			delete(reasons, g.What)
		}
	}
	measured := literals(t)
	for _, what := range slices.Sorted(maps.Keys(reasons)) {
		if !measured[what] {
			t.Errorf("%q has a margin but no row", what)
		}
	}
}

// literals are the strings in the package, without those of the margins and of tests.
func literals(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		if name == "margins.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, _ := strconv.Unquote(literal.Value)
				found[text] = true
			}
			return true
		})
	}
	return found
}

func TestCommandSaysWhatWasMeasured(t *testing.T) {
	for want, s := range map[string]settings{
		"go run ./bench":                    {json: "results.json"},
		"go run ./bench -short":             {short: true},
		"go run ./bench -only P6,P7":        {only: []string{"P6", "P7"}},
		"go run ./bench -short -only watch": {short: true, only: []string{"watch"}, charts: "docs"},
	} {
		if got := s.command(); got != want {
			t.Errorf("%+v is the command %q, want %q", s, got, want)
		}
	}
}

func TestWanted(t *testing.T) {
	e := experiment{name: "growth-checks", goals: []string{"growth"}}
	for _, test := range []struct {
		only []string
		want bool
	}{
		{nil, true},
		{[]string{"growth"}, true},
		{[]string{"P1", "growth-checks"}, true},
		{[]string{"P1"}, false},
	} {
		if got := e.wanted(test.only); got != test.want {
			t.Errorf("only %v: wanted is %v", test.only, got)
		}
	}
}

func TestFailuresNameMissedGoalsAndBusyChapters(t *testing.T) {
	missed := result.Goal{What: "slow", Measured: 2, Limit: 1}
	count := result.Goal{What: "allocations", Measured: 1, Limit: 0, Exact: true}
	busy := &result.Chapter{Name: "busy", Others: 0.5, Goals: []result.Goal{missed, count}}
	quiet := &result.Chapter{Name: "quiet", Goals: []result.Goal{missed}}
	err := failures(&result.Run{Chapters: []*result.Chapter{quiet, busy}}, false)
	want := "missed by more than its margin: slow: measured 2, goal ≤ 1\n" +
		"missed by more than its margin: allocations: measured 1, goal ≤ 0\n" +
		"The machine was too busy to judge: busy (other programs used 50 % of the processors)."
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	met := &result.Chapter{Name: "met", Goals: []result.Goal{{What: "fast", Measured: 1, Limit: 1}}}
	if err := failures(&result.Run{Chapters: []*result.Chapter{met}}, false); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func TestMissed(t *testing.T) {
	for _, test := range []struct {
		name        string
		goal        result.Goal
		full, short bool
	}{
		{"met", result.Goal{What: "Check handler against grpc-go's", Measured: 0.3, Limit: 0.3}, false, false},
		{"beyond noise, but not where it is noisy", result.Goal{What: "Check handler against grpc-go's", Measured: 0.4, Limit: 0.3}, true, false},
		{"beyond everything", result.Goal{What: "Check handler against grpc-go's", Measured: 0.5, Limit: 0.3}, true, true},
		{"not decided by a short run", result.Goal{What: "two cores against one", Measured: 2, Limit: 0.6}, true, false},
	} {
		if full, short := missed(test.goal, false), missed(test.goal, true); full != test.full || short != test.short {
			t.Errorf("%s: missed is %v in a full run and %v in a short one, want %v and %v", test.name, full, short, test.full, test.short)
		}
	}
}
