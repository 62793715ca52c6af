package fleet_test

import (
	"strings"
	"testing"

	"github.com/vitals-go/vitals/bench/internal/fleet"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// measured is a run that has measured round numbers.
func measured() *result.Run {
	facts := map[string]float64{}
	for _, name := range fleet.FactsUsed() {
		facts[name] = 1000
	}
	facts["scrape_series"], facts["method_series"], facts["scrape_gzip_bytes"] = 1500, 30, 15_360
	facts["kept_probe_ns"] = 50_000
	facts["idle_minute_ns"], facts["peers_idle_minute_ns"] = 6e6, 1.2e6
	facts["outage_log_lines"], facts["outage_log_bytes"] = 3, 900
	facts["otlp_gzip_bytes"] = 6144
	return &result.Run{Chapters: []*result.Chapter{{Name: "fleet", Made: result.Made{Date: "2026-01-02", Command: "go run ./bench"}, Facts: facts, Figures: []result.Figure{{Name: "idle", Title: "Idle"}}}}}
}

// Every line was calculated by hand.
func TestArithmetic(t *testing.T) {
	page, err := fleet.Page(measured())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| series | 1,500 | 15 million |",
		"| of them for each method | 30 | 300,000 |",
		"| 15 KiB | 9.77 MiB/s on the wire |",                       // 15 KiB × 10,000 / 15 s
		"| samples | 100/s | 1 million/s, 121 GiB a day",            // 1 M × 1.5 B × 86,400 s = 129.6 GB
		"takes 8 servers",                                           // 15 M / 2 M, rounded up
		"leaves 600 series of 6 million",                            // 30 × 20 methods
		"pods only: 0.6 probes a second",                            // 1/2 + 1/10
		"| 200 proxies at the edge | 40/s | 400,000/s | 20 cores |", // 400,000 × 50 µs
		"| 2,000 sidecars of clients | 400/s | 4 million/s | 200 cores |",
		"| all instances | 20 million | 2,000 | 1.91 MiB |", // 2,000 × 1,000 B
		"| 20 of them | 40,000 | 4 | 3.91 KiB |",
		"\n1000 KiB/s on the wire", // 6 KiB × 10,000 / 60 s
		"| failure | 30,000 | 8.58 MiB | one check interval, 30 s: 1,000 lines/s |",
		"| reminders | 10,000 | 2.86 MiB | every 5 min: 33.3 lines/s |",
		"| while it fails, every 5 s | 2,000/s",
		"100 EndpointSlices", "4 million messages at worst",
		"| 1,330 instances | series |",                                       // 2 M / 1,500
		"uses 6 ms of processor time a minute", "10,000 of them use 1 cores", // 6 ms × 10,000 / 60 s
		"would be 1.2 ms and 0.2 cores",
		"![Idle](../docs/charts/idle.svg)",
		"Measured 2026-01-02 with `go run ./bench`",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is nowhere in\n%s", want, page)
		}
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") || strings.Contains(page, "e+") || strings.Contains(page, "%!") {
		t.Errorf("a number is none:\n%s", page)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	run := measured()
	delete(run.Chapters[0].Facts, "otlp_bytes")
	delete(run.Chapters[0].Facts, "page_bytes")
	_, err := fleet.Page(run)
	if err == nil || !strings.Contains(err.Error(), "otlp_bytes") || !strings.Contains(err.Error(), "page_bytes") {
		t.Errorf("the error is %v", err)
	}
}

func TestNumber(t *testing.T) {
	for want, v := range map[string]float64{
		"0": 0, "0.6": 0.6, "33.3": 100.0 / 3, "986": 986, "1,180": 1178, "10,000": 10_000, "657,000": 657_333,
		"1 million": 999_600, "9.86 million": 9_860_000, "4 billion": 4e9,
	} {
		if got := fleet.Number(v); got != want {
			t.Errorf("%v reads %q, want %q", v, got, want)
		}
	}
}
