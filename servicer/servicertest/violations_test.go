package servicertest_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/vitals-go/vitals/servicer/servicertest"
)

func TestCorrectServerPassesAllRules(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "list is exhausted"} {
		synctest.Test(t, func(t *testing.T) {
			result := runCheck(t, newModel(t, fault))
			if len(result.Violations) > 0 {
				t.Errorf("violations of a correct server:\n%v", result)
			}
			for _, rule := range result.Skipped {
				if fault == "" || rule.ID != "list.agrees" {
					t.Errorf("%s is skipped", rule.ID)
				}
			}
		})
	}
}

// faults violate one rule each; also are the rules that they violate too.
var faults = map[string][]struct {
	fault string
	also  []string
}{
	"check.overall": {{fault: "empty name is unknown", also: []string{"list.agrees", "drain.serves"}}},
	"check.known":   {{fault: "service is unknown", also: []string{"list.agrees", "drain.serves"}}},
	"check.status":  {{fault: "invalid status"}},
	"check.unknown": {{fault: "unknown name is NOT_SERVING"}},
	"list.names":    {{fault: "list omits a name"}, {fault: "list has an unknown name", also: []string{"list.agrees"}}, {fault: "list is unimplemented"}},
	"list.agrees":   {{fault: "list is stale"}},
	"list.bounded":  {{fault: "list exceeds 100 names"}},
	"watch.first":   {{fault: "no first message", also: []string{"drain.notifies"}}},
	"watch.agrees":  {{fault: "wrong first message"}},
	"watch.unknown": {{fault: "watch of unknown name ends later", also: []string{"drain.unknown", "drain.code"}}, {fault: "watch of unknown name fails", also: []string{"drain.unknown", "drain.code"}}},
	"watch.changes": {{fault: "watch repeats a status"}},
	"watch.follows": {{fault: "watch is stuck"}},
	"http.ready":    {{fault: "HTTP always ready", also: []string{"drain.endpoints"}}},
	"http.live":     {{fault: "HTTP never live", also: []string{"drain.endpoints"}}},
	"http.startup":  {{fault: "HTTP never started", also: []string{"drain.endpoints"}}},
	"http.health":   {{fault: "HTTP always healthy", also: []string{"drain.endpoints"}}},
	"http.form":     {{fault: "responses without no-store"}, {fault: "POST is accepted"}, {fault: "unknown check exists"}},
	"http.metrics":  {{fault: "metrics are stale"}, {fault: "metrics answer 503"}},
	"file.form": {
		{fault: "file expires at once", also: []string{"file.agrees", "drain.endpoints"}},
		{fault: "file is from the future", also: []string{"file.agrees", "drain.endpoints"}},
		{fault: "file without a field", also: []string{"file.agrees", "drain.endpoints"}},
		{fault: "file is not readable", also: []string{"file.agrees", "drain.endpoints"}},
		{fault: "file is truncated", also: []string{"file.agrees", "drain.endpoints"}},
	},
	"file.agrees":     {{fault: "file disagrees", also: []string{"drain.endpoints"}}},
	"probe.agrees":    {{fault: "probe has other exit codes", also: []string{"drain.endpoints"}}},
	"fail.readiness":  {{fault: "empty name ignores the failure"}},
	"fail.liveness":   {{fault: "liveness fails with a dependency", also: []string{"drain.liveness", "drain.endpoints"}}},
	"fail.recover":    {{fault: "no recovery", also: []string{"drain.notifies"}}},
	"drain.notifies":  {{fault: "watch ends without NOT_SERVING"}, {fault: "slow watch ends without NOT_SERVING"}},
	"drain.unknown":   {{fault: "unknown name gets no NOT_SERVING"}},
	"drain.liveness":  {{fault: "liveness fails during the drain"}},
	"drain.serves":    {{fault: "calls fail during the drain"}, {fault: "service keeps SERVING"}},
	"drain.endpoints": {{fault: "HTTP ignores the drain"}},
	"drain.code":      {{fault: "watch ends with UNIMPLEMENTED"}, {fault: "watch ends with OK"}},
	"drain.ends":      {{fault: "watch stays open"}},
	"drain.file":      {{fault: "file remains"}},
}

func TestEveryFaultIsAViolation(t *testing.T) {
	t.Parallel()
	for _, rule := range servicertest.Rules() {
		if len(faults[rule.ID]) == 0 {
			t.Errorf("%s has no fault", rule.ID)
		}
		for _, f := range faults[rule.ID] {
			t.Run(rule.ID+"/"+f.fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					result := runCheck(t, newModel(t, f.fault))
					if !slices.Contains(result.Failed(), rule.ID) {
						t.Errorf("got violations of %v, want %s", result.Failed(), rule.ID)
					}
					for _, v := range result.Violations {
						if v.ID != rule.ID && !slices.Contains(f.also, v.ID) {
							t.Errorf("other rule: %v", v)
						}
					}
				})
			})
		}
	}
}

func runCheck(t *testing.T, target servicertest.Target) *servicertest.Result {
	t.Helper()
	result, err := servicertest.Check(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
