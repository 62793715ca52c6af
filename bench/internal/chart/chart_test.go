package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/bench/internal/chart"
	"github.com/vitals-go/vitals/bench/internal/result"
)

var made = result.Made{Date: "2026-01-02", Command: "go run ./bench", Processor: "Z80 <fast>", Cores: 2, Go: "go1.26"}

var lines = result.Figure{
	Name: "methods", Title: "Growth & more", Note: "A note that is so long that it does not fit into one line of the drawing, which is why it has to be broken somewhere.",
	Panels: []result.Panel{
		{Title: "Recording", X: "methods", Unit: "ns", Lines: []result.Line{
			{Name: "vitals", X: []float64{10, 100, 1000}, Y: []float64{90, 91, 92}},
			{Name: "peer", X: []float64{10, 100, 1000}, Y: []float64{90, 900, 90_000}},
		}},
		{Title: "Memory", X: "methods", Unit: "B", Lines: []result.Line{
			{Name: "vitals", X: []float64{10, 100}, Y: []float64{0, 2048}},
			{Name: "vitals, idle", X: []float64{10}, Y: []float64{2048}},
			{Name: "empty"},
		}},
	},
}

var barred = result.Figure{
	Name: "interceptor", Title: "Cost", Note: "Of a call.",
	Bars: []result.Bar{{Name: "nothing", Value: 0}, {Name: "vitals", Value: 329}, {Name: "other", Value: 9730}},
}

// elements parses a drawing strictly and returns its elements by name, with their attributes and texts.
func elements(t *testing.T, drawing string) map[string][]map[string]string {
	t.Helper()
	found := map[string][]map[string]string{}
	decoder := xml.NewDecoder(strings.NewReader(drawing))
	var last map[string]string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			last = map[string]string{}
			for _, a := range token.Attr {
				last[a.Name.Local] = a.Value
			}
			found[token.Name.Local] = append(found[token.Name.Local], last)
		case xml.EndElement:
			last = nil
		case xml.CharData:
			if last != nil {
				last["text"] += string(token)
			}
		}
	}
}

func texts(found map[string][]map[string]string) string {
	var all []string
	for _, e := range found["text"] {
		all = append(all, strings.TrimSpace(e["text"]))
	}
	return strings.Join(all, "\n")
}

func TestLines(t *testing.T) {
	drawing := chart.Draw(lines, made)
	found := elements(t, drawing)
	for _, want := range []string{"Growth & more", "Recording", "92 ns", "90 µs", "1,000", "2 KiB", "vitals, idle", "Z80 <fast>", "100 µs", "10 kB", "methods (both axes logarithmic)"} {
		if !strings.Contains(texts(found), want) {
			t.Errorf("%q is nowhere", want)
		}
	}
	if desc := found["desc"][0]["text"]; !strings.Contains(desc, "vitals 90 ns at 10 methods, 92 ns at 1,000; peer 90 ns at 10 methods, 90 µs at 1,000.") {
		t.Errorf("in words: %s", desc)
	}
	if found["title"][0]["text"] != lines.Title || found["svg"][0]["role"] != "img" || found["svg"][0]["aria-labelledby"] != "t d" {
		t.Error("the figure has no description")
	}
	for _, e := range found["path"] {
		if strings.Contains(e["d"], "NaN") || strings.Contains(e["d"], "Inf") {
			t.Errorf("a path leads nowhere: %s", e["d"])
		}
	}
}

// A line ten times as high is a decade higher, whatever else the panel holds.
func TestAxisIsHonest(t *testing.T) {
	found := elements(t, chart.Draw(lines, made))
	heights := map[string]string{} // of the grid lines beside their names
	for _, e := range found["text"] {
		if e["text-anchor"] == "end" {
			heights[strings.TrimSpace(e["text"])] = e["y"]
		}
	}
	for _, want := range []string{"10 ns", "100 ns", "1 µs", "10 µs", "100 µs"} {
		if heights[want] == "" {
			t.Errorf("the axis has no %s: %v", want, heights)
		}
	}
}

func TestBars(t *testing.T) {
	drawing := chart.Draw(barred, made)
	found := elements(t, drawing)
	var widths []string
	for _, e := range found["rect"] {
		if strings.HasPrefix(e["class"], "bar") {
			widths = append(widths, e["class"]+" "+e["width"])
		}
	}
	// 460 pixels for 9,730 ns; what is nothing is still a hair.
	if want := "bar other 1, bar c0 15.6, bar other 460"; strings.Join(widths, ", ") != want {
		t.Errorf("bars are %v, want %v", widths, want)
	}
	for _, want := range []string{"329 ns", "9.73 µs", "0 ns", "2 µs", "8 µs"} {
		if !strings.Contains(texts(found), want) {
			t.Errorf("%q is nowhere", want)
		}
	}
	if desc := found["desc"][0]["text"]; desc != "Of a call. nothing: 0 ns. vitals: 329 ns. other: 9.73 µs." {
		t.Errorf("in words: %s", desc)
	}
}

func TestSelfContainedAndTheSameEveryTime(t *testing.T) {
	for _, f := range []result.Figure{lines, barred} {
		drawing := chart.Draw(f, made)
		if again := chart.Draw(f, made); again != drawing {
			t.Errorf("%s differs from itself", f.Name)
		}
		if strings.Count(drawing, "http") != 1 { // the namespace
			t.Errorf("%s refers to something outside", f.Name)
		}
		if !strings.Contains(drawing, "prefers-color-scheme:dark") {
			t.Errorf("%s has no dark side", f.Name)
		}
	}
}

func TestAll(t *testing.T) {
	r := &result.Run{Chapters: []*result.Chapter{
		{Made: made, Figures: []result.Figure{lines, barred}},
		{Made: made},
	}}
	files := chart.All(r)
	if len(files) != 2 || files["methods.svg"] != chart.Draw(lines, made) || files["interceptor.svg"] != chart.Draw(barred, made) {
		t.Errorf("%d files", len(files))
	}
}
