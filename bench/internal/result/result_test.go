package result_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/bench/internal/result"
)

func TestGoal(t *testing.T) {
	for _, test := range []struct {
		name            string
		goal            result.Goal
		met, withinHalf bool
		promise         string
	}{
		{"at most, met exactly", result.Goal{Measured: 1.5, Limit: 1.5}, true, true, "≤ 1.5"},
		{"at most, missed by a little", result.Goal{Measured: 2, Limit: 1.5}, false, true, "≤ 1.5"},
		{"at most, missed by much", result.Goal{Measured: 2.3, Limit: 1.5}, false, false, "≤ 1.5"},
		{"nothing at all, met", result.Goal{}, true, true, "≤ 0"},
		{"nothing at all, missed", result.Goal{Measured: 1}, false, false, "≤ 0"},
		{"at least, met exactly", result.Goal{Measured: 8, Limit: 8, AtLeast: true}, true, true, "≥ 8"},
		{"at least, missed by a little", result.Goal{Measured: 6, Limit: 8, AtLeast: true}, false, true, "≥ 8"},
		{"at least, missed by much", result.Goal{Measured: 5, Limit: 8, AtLeast: true}, false, false, "≥ 8"},
		{"nothing promised", result.Goal{Measured: 0.3, AtLeast: true}, true, true, "–"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.goal.Met(); got != test.met {
				t.Errorf("met is %v", got)
			}
			if got := test.goal.Within(1.5); got != test.withinHalf {
				t.Errorf("within a margin of 1.5 is %v", got)
			}
			if got := test.goal.Promise(); got != test.promise {
				t.Errorf("the promise reads %q, want %q", got, test.promise)
			}
		})
	}
}

func TestQuantity(t *testing.T) {
	for _, test := range []struct {
		figure float64
		unit   string
		want   string
	}{
		{0, "ns", "0 ns"},
		{9.374, "ns", "9.37 ns"},
		{92.34, "ns", "92.3 ns"},
		{999.4, "ns", "999 ns"},
		{999.9, "ns", "1 µs"},
		{1020, "ns", "1.02 µs"},
		{22_700, "ns", "22.7 µs"},
		{-345, "ns", "-345 ns"},
		{46_700_000, "ns", "46.7 ms"},
		{3.5e12, "ns", "3500 s"},
		{837, "B", "837 B"},
		{1023.9, "B", "1 KiB"},
		{10_240, "B", "10 KiB"},
		{5 << 30, "B", "5 GiB"},
		{0.004, "B", "0.0040 B"},
		{12, "series", "12 series"},
	} {
		if got := result.Quantity(test.figure, test.unit); got != test.want {
			t.Errorf("%v %s reads %q, want %q", test.figure, test.unit, got, test.want)
		}
	}
}

// kept is a run of two chapters that were made on different days.
func kept() *result.Run {
	first := result.Made{Date: "2026-01-02", Command: "go run ./bench", Processor: "Z80", Cores: 1, Go: "go1.26", Peers: []string{"example.com/peer v1.2.3"}}
	second := first
	second.Date = "2026-02-03"
	return &result.Run{Chapters: []*result.Chapter{
		{Name: "a", Made: first, Noise: 0.02, Goals: []result.Goal{
			{ID: "P1", What: "this against that", Measured: 1.234, Limit: 1.5, Figures: "12 ns / 10 ns"},
			{ID: "P1", What: "that | this", Measured: 3, Limit: 4, AtLeast: true, Figures: "3 / 1"},
		}},
		{Name: "b", Made: first, Goals: []result.Goal{{ID: "P2", What: "only compared", Measured: 0.5, AtLeast: true, Figures: "1 / 2"}}},
		{Name: "figures", Made: first, Facts: map[string]float64{"bytes": 7}},
		{Name: "c", Made: second, Goals: []result.Goal{{ID: "P3", What: "later", Measured: 1, Limit: 2}}},
	}}
}

func TestMarkdown(t *testing.T) {
	text := kept().Markdown()
	_, table, _ := strings.Cut(text, "\n\nMeasured ")
	want := "2026-01-02 with `go run ./bench` on Z80, 1 cores, go1.26.\n\nPeers: example.com/peer v1.2.3.\n\n" +
		"| # | what | goal | measured | noise | figures | met |\n|---|---|---|---|---|---|---|\n" +
		"| P1 | this against that | ≤ 1.5 | 1.23 | ± 2.0 % | 12 ns / 10 ns | yes |\n" +
		"| P1 | that \\| this | ≥ 4 | 3 | ± 2.0 % | 3 / 1 | **no** |\n" +
		"| P2 | only compared | – | 0.5 |  | 1 / 2 |  |\n\n" +
		"Measured 2026-02-03 with `go run ./bench` on Z80, 1 cores, go1.26.\n\nPeers: example.com/peer v1.2.3.\n\n" +
		"| # | what | goal | measured | noise | figures | met |\n|---|---|---|---|---|---|---|\n| P3 | later | ≤ 2 | 1 |  |  | yes |\n"
	if table != want {
		t.Errorf("the table is\n%s\nwant\n%s", table, want)
	}
}

func TestVerdictSaysWhetherTheMachineWasTooBusy(t *testing.T) {
	missed, count := result.Goal{What: "w", Measured: 2.1, Limit: 2}, result.Goal{What: "n", Measured: 1, Limit: 1, Exact: true}
	for _, test := range []struct {
		name    string
		chapter result.Chapter
		want    []string
	}{
		{"quiet", result.Chapter{Noise: 0.01}, []string{"± 1.0 % |  | **no** |", "| 1 |  |  | yes |"}},
		{"quiet, within noise", result.Chapter{Noise: 0.06}, []string{"± 6.0 % |  | no, within noise |"}},
		{"other programs", result.Chapter{Others: 0.4, Noise: 0.01}, []string{
			"**The machine was too busy to judge: c (other programs used 40 % of the processors).**", "± 1.0 % |  | busy |", "| 1 |  |  | yes |",
		}},
		{"noise alone", result.Chapter{Noise: 0.2}, []string{
			"**The machine was too busy to judge: c (the same subject measured twice differed by 20 %).**", "± 20.0 % |  | busy |",
		}},
	} {
		test.chapter.Name, test.chapter.Goals = "c", []result.Goal{missed, count}
		text := (&result.Run{Chapters: []*result.Chapter{&test.chapter}}).Markdown()
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", test.name, want, text)
			}
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	saved := kept()
	saved.Chapters[2].Figures = []result.Figure{{
		Name: "f", Title: "t", Bars: []result.Bar{{Name: "vitals", Value: 1}},
		Panels: []result.Panel{{Title: "p", X: "methods", Unit: "ns", Lines: []result.Line{{Name: "vitals", X: []float64{1}, Y: []float64{2}}}}},
	}}
	if err := saved.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := result.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(loaded, saved) {
		t.Errorf("loaded %+v, want %+v", loaded, saved)
	}
	if _, err := result.Load(path + ".not"); err == nil {
		t.Error("a file that is not there was loaded")
	}
}

func TestPut(t *testing.T) {
	r := kept()
	r.Put(&result.Chapter{Name: "b", Goals: []result.Goal{{ID: "P2", What: "measured anew"}}})
	r.Put(&result.Chapter{Name: "new"})
	if len(r.Chapters) != 5 || r.Chapters[1].Goals[0].What != "measured anew" || r.Chapters[4].Name != "new" {
		t.Errorf("chapters are %+v", r.Chapters)
	}
	if len(r.Goals()) != 4 {
		t.Errorf("%d goals, want 4", len(r.Goals()))
	}
	if v, ok := r.Fact("bytes"); v != 7 || !ok {
		t.Errorf("the fact is %v, %v", v, ok)
	}
	if _, ok := r.Fact("unknown"); ok {
		t.Error("an unknown fact is known")
	}
}

func TestHere(t *testing.T) {
	made := result.Here("go run ./bench -short", "example.com/not/linked")
	if made.Date == "" || made.Processor == "" || made.Cores < 1 || made.Go == "" || len(made.Peers) != 0 {
		t.Errorf("here is %+v", made)
	}
	if !strings.Contains(made.String(), "`go run ./bench -short`") {
		t.Errorf("the line does not say the command: %s", made)
	}
}
