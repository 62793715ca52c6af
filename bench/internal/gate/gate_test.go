package gate_test

import (
	"strings"
	"testing"

	"github.com/vitals-go/vitals/bench/internal/gate"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// The recorded samples were measured by this program: each is one attempt's ratio.
func TestRecorded(t *testing.T) {
	for _, test := range []struct {
		name     string
		limit    float64
		atLeast  bool
		margin   float64
		measured []float64
		attempts int
		want     gate.State
	}{
		{"recorder, quiet machine", 1.5, false, 1.4, []float64{1.44}, 1, gate.Met},
		{"recorder, beyond the goal but not the margin", 1.5, false, 1.4, []float64{1.9}, 1, gate.WithinMargin},
		{"recorder, one attempt disturbed", 1.5, false, 1.4, []float64{2.6, 1.53}, 2, gate.WithinMargin},
		{"recorder, all but the last attempt disturbed", 1.5, false, 1.4, []float64{2.6, 2.5, 3.1, 1.5}, 4, gate.Met},
		{"recorder with a mutex and time.Now in it", 1.5, false, 1.4, []float64{2.67, 2.7, 2.69, 2.67}, 4, gate.Behind},
		{"a thousand methods, four neighbours", 1.5, false, 4, []float64{2.58}, 1, gate.WithinMargin},
		{"a thousand methods, searched through", 1.5, false, 4, []float64{61, 58, 60, 63}, 4, gate.Behind},
		{"breaker, four neighbours", 2, true, 1.6, []float64{1.72}, 1, gate.WithinMargin},
		{"breaker with a mutex", 2, true, 1.6, []float64{0.71, 0.74, 0.7, 0.72}, 4, gate.Behind},
		{"no allocation", 0, false, 1, []float64{0}, 1, gate.Met},
		{"one allocation", 0, false, 1, []float64{1, 1, 1, 1}, 4, gate.Behind},
		{"no fifth attempt", 1.5, false, 1.4, []float64{9, 9, 9, 9, 1}, 4, gate.Behind},
	} {
		t.Run(test.name, func(t *testing.T) {
			attempts := 0
			rows := gate.Measure(map[string]float64{"row": test.margin}, func(attempt int) []result.Goal {
				if attempt != attempts {
					t.Fatalf("attempt %d is called %d", attempts, attempt)
				}
				attempts++
				return []result.Goal{
					{What: "row", Measured: test.measured[attempt], Limit: test.limit, AtLeast: test.atLeast},
					{What: "without a margin", Measured: 1000, Limit: 1},
				}
			})
			if len(rows) != 1 || rows[0].State() != test.want || attempts != test.attempts {
				t.Errorf("got %v after %d attempts, want %v after %d", rows, attempts, test.want, test.attempts)
			}
		})
	}
}

func TestEachRowIsDecidedByItself(t *testing.T) {
	rows := gate.Measure(map[string]float64{"good": 1, "bad": 1}, func(int) []result.Goal {
		return []result.Goal{{What: "bad", Measured: 2, Limit: 1}, {What: "good", Measured: 1, Limit: 1}}
	})
	if len(rows) != 2 || rows[0].State() != gate.Behind || rows[1].State() != gate.Met {
		t.Errorf("got %v, want bad behind and good met", rows)
	}
}

func TestRowPrintsGoalBestAttemptAndMargin(t *testing.T) {
	for _, test := range []struct {
		name    string
		atLeast bool
		limit   float64
		want    string
	}{
		{"at most", false, 1.9, "within margin P1 row goal ≤ 1.9 measured 2 margin × 1.25 behind if above 2.38 (best of 3 attempts)"},
		{"at least", true, 2, "met P1 row goal ≥ 2 measured 3 margin × 1.25 behind if below 1.6 (best of 3 attempts)"},
	} {
		row := gate.Row{Margin: 1.25}
		for _, measured := range []float64{2.5, 2, 3} {
			row.Attempts = append(row.Attempts, result.Goal{ID: "P1", What: "row", Measured: measured, Limit: test.limit, AtLeast: test.atLeast})
		}
		if got := strings.Join(strings.Fields(row.String()), " "); got != test.want {
			t.Errorf("%s: it reads %q, want %q", test.name, got, test.want)
		}
	}
}
