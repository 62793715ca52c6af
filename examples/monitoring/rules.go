package main

import (
	"bytes"
	_ "embed"
	"text/template"
	"time"

	"github.com/prometheus/common/model"
)

//go:embed rules.tmpl.yml
var rulesTemplate string

// pace is how patient the rules are: minutes and hours in production, seconds in a test.
type pace struct {
	// Budget is the share of calls that may fail: one minus the objective.
	Budget float64
	// MinFailures is how many calls must have failed in the long window before the budget is looked at: a service
	// with ten calls an hour does not wake anybody with its first error.
	MinFailures int
	// Instant, Short and Long are how long a condition must last before it alerts: for outages, for problems that need
	// action soon, and for others.
	Instant, Short, Long model.Duration
	// Burn windows, from the fastest; each alert looks at two of them.
	Burn5m, Burn30m, Burn1h, Burn6h, Burn3d model.Duration
	// Silence is how long no check may run, Flap how far back transitions are counted, Memory how long an absent target
	// is remembered.
	Silence, Flap, Memory model.Duration
}

// Runbook is the page that has a section for each alert.
func (pace) Runbook() string {
	return "https://github.com/vitals-go/vitals/blob/main/examples/monitoring/RUNBOOK.md"
}

var production = pace{
	Budget: 0.001, MinFailures: 10,
	Instant: minutes(1), Short: minutes(2), Long: minutes(10),
	Burn5m: minutes(5), Burn30m: minutes(30), Burn1h: minutes(60), Burn6h: minutes(360), Burn3d: minutes(3 * 24 * 60),
	Silence: minutes(10), Flap: minutes(30), Memory: minutes(60),
}

func minutes(n int) model.Duration { return model.Duration(time.Duration(n) * time.Minute) }

// rules returns the rules at this pace. Prometheus' own templates stay as they are: ours are in << >>.
func (p pace) rules() ([]byte, error) {
	t, err := template.New("rules").Delims("<<", ">>").Option("missingkey=error").Parse(rulesTemplate)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, p)
	return out.Bytes(), err
}
