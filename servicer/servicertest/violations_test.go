package servicertest_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/vitals-go/vitals/servicer/servicertest"
)

func TestAnHonestServerKeepsEveryRule(t *testing.T) {
	t.Parallel()
	for _, lie := range []string{"", "the list is refused"} {
		synctest.Test(t, func(t *testing.T) {
			result := runCheck(t, newModel(t, lie))
			if len(result.Violations) > 0 {
				t.Errorf("findings about an honest server:\n%v", result)
			}
			for _, rule := range result.Skipped {
				if lie == "" || rule.ID != "list.agrees" {
					t.Errorf("%s is not tested", rule.ID)
				}
			}
		})
	}
}

// liars break one rule each, as precisely as can be. What else has to break with it is in also.
var liars = map[string][]struct {
	lie  string
	also []string
}{
	"check.overall": {{lie: "nobody knows the server as a whole", also: []string{"list.agrees", "drain.serves"}}},
	"check.known":   {{lie: "a service is unknown", also: []string{"list.agrees", "drain.serves"}}},
	"check.status":  {{lie: "a status means nothing"}},
	"check.unknown": {{lie: "unknown names do not serve"}},
	"list.names":    {{lie: "the list forgets"}, {lie: "the list invents", also: []string{"list.agrees"}}, {lie: "there is no list"}},
	"list.agrees":   {{lie: "the list is old"}},
	"list.bounded":  {{lie: "a hundred names are not enough"}},
	"watch.first":   {{lie: "the first message never comes", also: []string{"drain.told"}}},
	"watch.agrees":  {{lie: "the first message is wrong"}},
	"watch.unknown": {{lie: "unknown names end a watch", also: []string{"drain.unknown", "drain.code"}}, {lie: "strangers are sent away", also: []string{"drain.unknown", "drain.code"}}},
	"watch.changes": {{lie: "watches repeat themselves"}},
	"watch.follows": {{lie: "watches are stuck"}},
	"http.ready":    {{lie: "HTTP is always ready", also: []string{"drain.doors"}}},
	"http.live":     {{lie: "HTTP is never alive", also: []string{"drain.doors"}}},
	"http.startup":  {{lie: "HTTP never starts", also: []string{"drain.doors"}}},
	"http.health":   {{lie: "HTTP is always healthy", also: []string{"drain.doors"}}},
	"http.form":     {{lie: "answers may be stored"}, {lie: "anything can be posted"}, {lie: "every check exists"}},
	"http.metrics":  {{lie: "metrics are old"}, {lie: "metrics fail with the server"}},
	"file.form": {
		{lie: "the file expires at once", also: []string{"file.agrees", "drain.doors"}},
		{lie: "the file is from the future", also: []string{"file.agrees", "drain.doors"}},
		{lie: "the file lacks a word", also: []string{"file.agrees", "drain.doors"}},
		{lie: "the file is secret", also: []string{"file.agrees", "drain.doors"}},
		{lie: "the file is torn", also: []string{"file.agrees", "drain.doors"}},
	},
	"file.agrees":    {{lie: "the file knows better", also: []string{"drain.doors"}}},
	"probe.agrees":   {{lie: "the probe has codes of its own", also: []string{"drain.doors"}}},
	"fail.readiness": {{lie: "the server as a whole knows better"}},
	"fail.liveness":  {{lie: "liveness depends on a dependency", also: []string{"drain.liveness", "drain.doors"}}},
	"fail.heal":      {{lie: "nothing heals", also: []string{"drain.told"}}},
	"drain.told":     {{lie: "a watch ends untold"}, {lie: "a slow watch ends untold"}},
	"drain.unknown":  {{lie: "strangers are not told"}},
	"drain.liveness": {{lie: "liveness ends first"}},
	"drain.serves":   {{lie: "calls fail at once"}, {lie: "a service goes on serving"}},
	"drain.doors":    {{lie: "HTTP knows no drain"}},
	"drain.code":     {{lie: "watches were never implemented"}, {lie: "watches end well"}},
	"drain.ends":     {{lie: "watches stay open"}},
	"drain.file":     {{lie: "the file stays"}},
}

func TestEveryLiarIsFound(t *testing.T) {
	t.Parallel()
	for _, rule := range servicertest.Rules() {
		if len(liars[rule.ID]) == 0 {
			t.Errorf("nobody breaks %s", rule.ID)
		}
		for _, liar := range liars[rule.ID] {
			t.Run(rule.ID+"/"+liar.lie, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					result := runCheck(t, newModel(t, liar.lie))
					if !slices.Contains(result.Failed(), rule.ID) {
						t.Errorf("the liar is not found: %v", result.Failed())
					}
					for _, f := range result.Violations {
						if f.Rule.ID != rule.ID && !slices.Contains(liar.also, f.Rule.ID) {
							t.Errorf("an innocent rule is blamed: %v", f)
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
