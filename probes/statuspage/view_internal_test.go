package statuspage

import (
	"testing"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

func TestSentenceSummarizesTheChecks(t *testing.T) {
	t.Parallel()
	healthy := rowView{Result: &checker.Result{Name: "database", Status: checker.Healthy, Reason: checker.ReasonOK}}
	waiting := rowView{Result: &checker.Result{Name: "cache", Status: checker.Unknown, Reason: checker.ReasonNotRunYet}}
	broken := rowView{Result: &checker.Result{Name: "search", Status: checker.Critical, Reason: checker.ReasonError}}
	for want, tt := range map[string]struct {
		phase servicer.Phase
		rows  []rowView
	}{
		"No checks.":                                                       {servicer.Ready, nil},
		"The only check passes.":                                           {servicer.Ready, []rowView{healthy}},
		"All 2 checks pass.":                                               {servicer.Ready, []rowView{healthy, healthy}},
		"No new traffic. All 2 checks pass.":                               {servicer.Draining, []rowView{healthy, healthy}},
		"Stopped. The only check passes.":                                  {servicer.Stopped, []rowView{healthy}},
		"Not run yet: 1 of 2 checks.":                                      {servicer.Starting, []rowView{healthy, waiting}},
		"Not run yet: 2 of 2 checks.":                                      {servicer.Starting, []rowView{waiting, waiting}},
		"1 of 3 checks is not healthy: search":                             {servicer.Ready, []rowView{broken, waiting, healthy}},
		"1 of 1 check is not healthy: search":                              {servicer.Ready, []rowView{broken}},
		"4 of 4 checks are not healthy: search, search, search and 1 more": {servicer.Ready, []rowView{broken, broken, broken, broken}},
	} {
		if got := sentence(&servicer.Report{Phase: tt.phase}, tt.rows); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
