package gate_test

import (
	"strings"
	"testing"

	"github.com/vitals-go/vitals/bench/internal/gate"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// The recorded samples are what this program measured: each is one attempt's ratio.
func TestRecorded(t *testing.T) {
	for _, test := range []struct {
		name     string
		limit    float64
		atLeast  bool
		margin   float64
		measured []float64
		attempts int
		good     bool
	}{
		{"recorder, quiet machine", 1.7, false, 1.4, []float64{1.5}, 1, true},
		{"recorder, beyond the goal but not the margin", 1.7, false, 1.4, []float64{1.9}, 1, true},
		{"recorder, one attempt disturbed", 1.7, false, 1.4, []float64{2.6, 1.53}, 2, true},
		{"recorder, all but the last attempt disturbed", 1.7, false, 1.4, []float64{2.6, 2.5, 3.1, 2.3}, 4, true},
		{"recorder with a mutex and time.Now in it", 1.7, false, 1.4, []float64{2.67, 2.7, 2.69, 2.67}, 4, false},
		{"a thousand methods, four neighbours", 1.5, false, 4, []float64{2.58}, 1, true},
		{"a thousand methods, searched through", 1.5, false, 4, []float64{61, 58, 60, 63}, 4, false},
		{"breaker, four neighbours", 2, true, 1.6, []float64{1.72}, 1, true},
		{"breaker with a mutex", 2, true, 1.6, []float64{0.71, 0.74, 0.7, 0.72}, 4, false},
		{"no allocation", 0, false, 1, []float64{0}, 1, true},
		{"one allocation", 0, false, 1, []float64{1, 1, 1, 1}, 4, false},
		{"no time to ask a fifth time", 1.7, false, 1.4, []float64{9, 9, 9, 9, 1}, 4, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			attempts := 0
			good := gate.Watch(&out, map[string]float64{"row": test.margin}, func(attempt int) []result.Goal {
				if attempt != attempts {
					t.Fatalf("attempt %d is called %d", attempts, attempt)
				}
				attempts++
				return []result.Goal{
					{What: "row", Measured: test.measured[attempt], Limit: test.limit, AtLeast: test.atLeast},
					{What: "without a margin", Measured: 1000, Limit: 1},
				}
			})
			if good != test.good || attempts != test.attempts {
				t.Errorf("good is %v after %d attempts, want %v after %d", good, attempts, test.good, test.attempts)
			}
			if strings.Contains(out.String(), "without a margin") || strings.Contains(out.String(), "BEHIND") == good {
				t.Errorf("it says %q", out.String())
			}
		})
	}
}

func TestOneBadRowIsEnough(t *testing.T) {
	var out strings.Builder
	good := gate.Watch(&out, map[string]float64{"good": 1, "bad": 1}, func(int) []result.Goal {
		return []result.Goal{{What: "bad", Measured: 2, Limit: 1}, {What: "good", Measured: 1, Limit: 1}}
	})
	if good || strings.Count(out.String(), "BEHIND") != 1 || strings.Count(out.String(), "ok ") != 1 {
		t.Errorf("good is %v, it says\n%s", good, out.String())
	}
}

func TestRowShowsItsBestAttempt(t *testing.T) {
	for _, test := range []struct {
		name    string
		atLeast bool
		want    string
	}{
		{"at most", false, "2  goal ≤ 1     fails beyond 1.25"},
		{"at least", true, "3  goal ≥ 1     fails beyond 0.8"},
	} {
		row := gate.Row{Margin: 1.25}
		for _, measured := range []float64{2.5, 2, 3} {
			row.Attempts = append(row.Attempts, result.Goal{Measured: measured, Limit: 1, AtLeast: test.atLeast})
		}
		if got := row.String(); !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(test.want), " ")) {
			t.Errorf("%s: it reads %q, want %q in it", test.name, got, test.want)
		}
	}
}
