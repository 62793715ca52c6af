package statuspage

import (
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// A check of the same name that is added later must not begin with the bars of the first, and the memory must not grow with
// checks that come and go.
func TestHistoryForgetsRemovedChecks(t *testing.T) {
	t.Parallel()
	h := &history{runs: make(map[string][]run)}
	cache := &checker.Result{Name: "cache", At: time.Now(), Status: checker.Critical}
	database := &checker.Result{Name: "database", At: time.Now(), Status: checker.Healthy}
	h.record(&servicer.Report{Revision: 1, Checks: []*checker.Result{cache, database}})
	h.record(&servicer.Report{Revision: 2, Checks: []*checker.Result{database}})
	if len(h.of("cache")) != 0 || len(h.of("database")) != 1 {
		t.Errorf("got the runs %v, want those of database only", h.runs)
	}
}
