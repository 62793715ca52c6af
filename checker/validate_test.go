package checker_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func measure(context.Context) (checker.Measurement, error) { return checker.Measurement{}, nil }

func TestMistakesNameTheField(t *testing.T) {
	tests := []struct {
		name  string
		check checker.Check
		want  string // the field
	}{
		{"no name", checker.Check{Run: pass}, `check "": Name is required`},
		{"liveness", checker.Check{Name: "liveness", Run: pass}, `check "liveness": Name`},
		{"readiness", checker.Check{Name: "readiness", Run: pass}, `check "readiness": Name`},
		{"startup", checker.Check{Name: "startup", Run: pass}, `check "startup": Name`},
		{"none", checker.Check{Name: "none", Run: pass}, `check "none": Name`},
		{"long title", checker.Check{Name: "a", Title: strings.Repeat("x", 257), Run: pass}, "Title: got 257 bytes"},
		{"long gate", checker.Check{Name: "a", Gates: []string{strings.Repeat("x", 1025)}, Run: pass}, "Gates: got 1025 bytes"},
		{"long name", checker.Check{Name: strings.Repeat("x", 129), Run: pass}, "Name: got 129 bytes"},
		{"unprintable name", checker.Check{Name: "a\nb", Run: pass}, "Name"},
		{"invalid UTF-8", checker.Check{Name: "a\xff", Run: pass}, "Name"},
		{"unprintable title", checker.Check{Title: "a\x1b[31m", Run: pass}, "Title"},
		{"neither", checker.Check{}, "Run"},
		{"both", checker.Check{Run: pass, Measure: measure}, "Run"},
		{"kind", checker.Check{Run: pass, Kind: 9}, "Kind"},
		{"interval", checker.Check{Run: pass, Interval: -1}, "Interval: got -1ns, want 0 to"},
		{"interval in nanoseconds", checker.Check{Run: pass, Interval: 30}, "Interval: got 30ns, want at least 1ms"},
		{"endless interval", checker.Check{Run: pass, Interval: math.MaxInt64}, "Interval: got 2562047h47m16.854775807s"},
		{"failing interval", checker.Check{Run: pass, FailingInterval: -time.Second}, "FailingInterval: got -1s"},
		{"timeout", checker.Check{Run: pass, Timeout: -time.Second}, "Timeout: got -1s"},
		{"initial delay", checker.Check{Run: pass, InitialDelay: -1}, "InitialDelay: got -1ns"},
		{"jitter", checker.Check{Run: pass, Jitter: 1.1}, "Jitter"},
		{"jitter NaN", checker.Check{Run: pass, Jitter: math.NaN()}, "Jitter"},
		{"jitter -Inf", checker.Check{Run: pass, Jitter: math.Inf(-1)}, "Jitter"},
		{"retries", checker.Check{Run: pass, Retries: -1}, "Retries"},
		{"failure threshold", checker.Check{Run: pass, FailureThreshold: -1}, "FailureThreshold"},
		{"timeout threshold", checker.Check{Run: pass, TimeoutThreshold: -1}, "TimeoutThreshold"},
		{"success threshold", checker.Check{Run: pass, SuccessThreshold: -1}, "SuccessThreshold"},
		{"slow share of 80", checker.Check{Run: pass, SlowShare: 80}, "SlowShare: got 80, want at most 1"},
		{"slow share NaN", checker.Check{Run: pass, SlowShare: math.NaN()}, "SlowShare: got NaN"},
		{"negative TTL", checker.Check{TTL: -1}, "TTL: got"},
		{"pushed and run", checker.Check{Run: pass, TTL: time.Minute}, "Run: want exactly one of Run, Measure and TTL"},
		{"warning without measure", checker.Check{Run: pass, Warning: checker.Above(1)}, "Warning: requires Measure"},
		{"critical without measure", checker.Check{Run: pass, Critical: checker.Below(0)}, "Critical: requires Measure"},
		{"critical NaN", checker.Check{Measure: measure, Critical: checker.Above(math.NaN())}, "Critical: got above NaN, want a finite number"},
		{"warning Inf", checker.Check{Measure: measure, Warning: checker.Below(math.Inf(-1))}, "Warning: got below -Inf, want a finite number"},
		{
			"warning beyond critical",
			checker.Check{Measure: measure, Critical: checker.Above(1), Warning: checker.Above(2)},
			"Warning: got above 2, which is beyond Critical, above 1",
		},
		{
			"warning beyond critical, downwards",
			checker.Check{Measure: measure, Critical: checker.Below(5), Warning: checker.Below(0)},
			"Warning: got below 0, which is beyond Critical, below 5",
		},
		{
			"two sides",
			checker.Check{Measure: measure, Critical: checker.Above(95), Warning: checker.Below(80)},
			"Warning: got below 80, but Critical is above 95",
		},
		{"hysteresis of 1", checker.Check{Measure: measure, Critical: checker.Above(1).Hysteresis(1)}, "Critical: got hysteresis 1"},
		{"negative hysteresis", checker.Check{Measure: measure, Warning: checker.Above(1).Hysteresis(-.1)}, "Warning: got hysteresis -0.1"},
		{"hysteresis NaN", checker.Check{Measure: measure, Warning: checker.Above(1).Hysteresis(math.NaN())}, "Warning: got hysteresis NaN"},
		{"optional gate", checker.Check{Run: pass, Optional: true, Gates: []string{"readiness"}}, "Gates"},
		{"empty gate", checker.Check{Run: pass, Gates: []string{""}}, "Gates"},
		{"none and more", checker.Check{Run: pass, Gates: []string{"none", "liveness"}}, "Gates"},
		{"gate twice", checker.Check{Run: pass, Gates: []string{"liveness", "liveness"}}, "Gates"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if test.check.Name == "" && test.name != "no name" {
				test.check.Name = "db"
				want = `check "db": ` + test.want
			}
			_, err := checker.New(checker.Config{Checks: []checker.Check{test.check}})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("New: got %v, want %s", err, want)
			}
			c, err := checker.New(checker.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Add(test.check); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Add: got %v, want %s", err, want)
			}
		})
	}
}

func TestAllMistakesAreReported(t *testing.T) {
	_, err := checker.New(checker.Config{
		MaxConcurrent: -1,
		Checks: []checker.Check{
			{Name: "a", Interval: -1, Timeout: -1},
			{Name: "b", Run: pass},
			{Name: "b", Run: pass},
			{Name: "startup", Run: pass},
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"MaxConcurrent", `"a": Interval`, `"a": Timeout`, `"a": Run`, `"b": Name is used twice`, `"startup": Name`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestSlicesAreCopied(t *testing.T) {
	gates := []string{"liveness"}
	c, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "a", Run: pass, Gates: gates}}})
	if err != nil {
		t.Fatal(err)
	}
	gates[0] = "changed"
	if got := c.Snapshot().Results[0].Gates[0]; got != "liveness" {
		t.Fatalf("gates %q", got)
	}
}
