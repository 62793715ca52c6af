package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/vitals-go/vitals/probes/promvitals"
)

func TestFilesAreAsTheyAreMade(t *testing.T) {
	files, err := render()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(name)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not what go run ./examples/monitoring -dir examples/monitoring writes (%v)", name, err)
		}
	}
}

// promtool runs Prometheus' own tool, in every version.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	each(t, "promtool", func(t *testing.T, r release) {
		cmd := exec.Command(r.path, args...)
		cmd.Stdin = strings.NewReader(stdin)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
		}
	})
}

func TestRulesAreRight(t *testing.T) {
	promtool(t, "", "check", "rules", "rules.yml")
	promtool(t, "", "test", "rules", "rules_test.yml")
}

// promtool evaluates groups in an order of chance unless it is told one, and a group that it is not told about not at
// all: an alert over a recorded ratio would then come late in some runs, and never in others.
func TestGroupsAreTestedInTheirOrder(t *testing.T) {
	rules, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, match := range regexp.MustCompile(`(?m)^  - name: (\S+)$`).FindAllStringSubmatch(string(rules), -1) {
		groups = append(groups, match[1])
	}
	want := "group_eval_order: [" + strings.Join(groups, ", ") + "]"
	if len(groups) == 0 || !strings.Contains(string(tests), want) {
		t.Errorf("rules_test.yml does not say %s", want)
	}
}

// Every alert has a test in which it fires, and one moment at which it does not.
func TestEveryAlertIsTested(t *testing.T) {
	rules, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		if !regexp.MustCompile(`alertname: ` + match[1] + `\n\s+exp_alerts`).Match(tests) {
			t.Errorf("%s never fires in rules_test.yml", match[1])
		}
	}
}

// Every alert links to a section of the runbook, and the runbook has no other.
func TestEveryAlertHasARunbookSection(t *testing.T) {
	rules, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	runbook, err := os.ReadFile("RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	var alerts, sections []string
	for _, match := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		alerts = append(alerts, match[1])
		if link := production.Runbook() + "#" + strings.ToLower(match[1]) + `"`; !strings.Contains(string(rules), link) {
			t.Errorf("%s does not link to %s", match[1], link)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^### (\w+)\n\n\S`).FindAllStringSubmatch(string(runbook), -1) {
		sections = append(sections, match[1])
	}
	if !slices.Equal(sections, alerts) || len(alerts) < 15 {
		t.Errorf("examples/monitoring/RUNBOOK.md has the sections %v, want %v", sections, alerts)
	}
}

func TestExampleConfigurationIsRight(t *testing.T) {
	promtool(t, "", "check", "config", "prometheus.yml")
}

// imported is what we read of a dashboard.
type imported struct {
	UID    string
	Panels []struct {
		Type, Title, Description string
		Datasource               struct{ UID string }
		FieldConfig              struct {
			Defaults struct{ Unit, NoValue string }
		}
		Targets []struct {
			Expr, LegendFormat string
			Datasource         struct{ UID string }
		}
	}
	Templating struct{ List []struct{ Name string } }
}

func dashboards(t *testing.T) (list []imported) {
	t.Helper()
	for _, board := range []dashboard{fleet(), instance()} {
		text, err := board.json()
		if err != nil {
			t.Fatal(err)
		}
		var m imported
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// expressions returns all of a dashboard's, by the panel's title.
func (m imported) expressions() map[string][]string {
	found := map[string][]string{}
	for _, p := range m.Panels {
		for _, target := range p.Targets {
			found[p.Title] = append(found[p.Title], target.Expr)
		}
	}
	return found
}

func TestPanelsSayWhatTheyShow(t *testing.T) {
	for _, m := range dashboards(t) {
		var names []string
		for _, v := range m.Templating.List {
			names = append(names, v.Name)
		}
		if !slices.Equal(names, []string{"datasource", "job", "instance"}) {
			t.Errorf("%s has the variables %v", m.UID, names)
		}
		for _, p := range m.Panels {
			if p.Type == "row" {
				continue
			}
			if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
				t.Errorf("%s: a panel lacks something: %+v", m.UID, p)
			}
			for _, target := range p.Targets {
				if target.Datasource.UID != "${datasource}" || target.LegendFormat == "" {
					t.Errorf("%s: %s: a query lacks something: %+v", m.UID, p.Title, target)
				}
			}
		}
	}
}

var (
	selector = regexp.MustCompile(`[a-z_]+\{[^}]*\}`)
	ranged   = regexp.MustCompile(`\[[^\]]*\]`)
)

func TestQueriesAskForTheChosen(t *testing.T) {
	for _, m := range dashboards(t) {
		for title, list := range m.expressions() {
			for _, expr := range list {
				for _, selected := range selector.FindAllString(expr, -1) {
					if !strings.Contains(selected, `job=~"$job",instance=~"$instance"`) {
						t.Errorf("%s: %s: %s", m.UID, title, selected)
					}
				}
				for _, interval := range ranged.FindAllString(expr, -1) {
					if interval != "[$__rate_interval]" {
						t.Errorf("%s: %s: %s", m.UID, title, interval)
					}
				}
			}
		}
	}
}

func TestQueriesArePromQL(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n")
	for _, m := range dashboards(t) {
		rules.WriteString("  - name: " + m.UID + "\n    rules:\n")
		for _, list := range m.expressions() {
			for _, expr := range list {
				expr = strings.NewReplacer("$__rate_interval", "5m", "$job", ".+", "$instance", ".+").Replace(expr)
				fmt.Fprintf(&rules, "      - record: dashboard:query%d\n        expr: %q\n", rules.Len(), expr)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", path)
}

// What is exported is shown somewhere, and what is shown or judged is exported.
func TestDashboardsAndRulesNameWhatIsExported(t *testing.T) {
	files, err := render()
	if err != nil {
		t.Fatal(err)
	}
	families := promvitals.Families()
	for _, family := range families {
		word := regexp.MustCompile(`\b` + family.GetName() + `(_bucket)?\{`)
		if !word.Match(files["fleet.json"]) && !word.Match(files["instance.json"]) {
			t.Errorf("%s is on no dashboard", family.GetName())
		}
	}
	named := regexp.MustCompile(`(^|[^:\w])((health|grpc)_[a-z0-9_]+)[{\[]`)
	for file, content := range files {
		for _, match := range named.FindAllStringSubmatch(string(content), -1) {
			if !slices.ContainsFunc(families, func(f *dto.MetricFamily) bool {
				return match[2] == f.GetName() || f.GetType() == dto.MetricType_HISTOGRAM && match[2] == f.GetName()+"_bucket"
			}) {
				t.Errorf("%s names %s, which nobody exports", file, match[2])
			}
		}
	}
}

func TestPageIsLintClean(t *testing.T) {
	instance := start(t, "a")
	resp, err := http.Get("http://" + instance.web + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	promtool(t, readAll(t, resp.Body), "check", "metrics")
}
