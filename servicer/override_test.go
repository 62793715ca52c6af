package servicer_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

// overridden is a server with an override file, whose database fails while down is set.
type overridden struct {
	*servicer.Server
	t       *testing.T
	path    string
	down    atomic.Bool
	checker *checker.Checker
	log     logtest.Log
}

// startOverridden runs a server whose override file has the content, none if that is empty.
func startOverridden(t *testing.T, content string, cfg servicer.Config) *overridden {
	t.Helper()
	o := &overridden{t: t, path: filepath.Join(t.TempDir(), "override.json")}
	if content != "" {
		o.write(content)
	}
	database := func(context.Context) error {
		if o.down.Load() {
			return errors.New("connection refused")
		}
		return nil
	}
	c, err := checker.New(checker.Config{Checks: []checker.Check{
		{Name: "database", Run: database, Interval: time.Second, Jitter: -1},
		{Name: "search", Run: func(context.Context) error { return nil }, Interval: time.Hour},
	}})
	if err != nil {
		t.Fatal(err)
	}
	o.checker = c
	cfg.Checker, cfg.OverrideFile, cfg.Logger = c, o.path, slog.New(slog.NewTextHandler(&o.log, nil))
	cfg.Services = []string{"shop.v1.Orders", "shop.v1.Carts"}
	o.Server = newServer(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- c.Run(ctx) }()
	go func() { ended <- o.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	o.pass()
	return o
}

// lines counts the log lines with a message.
func (o *overridden) lines(message string) int {
	return strings.Count(o.log.String(), `msg="`+message+`"`)
}

// pass lets the file be seen twice and checks run.
func (o *overridden) pass() {
	time.Sleep(3 * time.Second)
	synctest.Wait()
}

func (o *overridden) write(content string) {
	o.t.Helper()
	if err := os.WriteFile(o.path, []byte(content), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// override replaces the file's fields and waits.
func (o *overridden) override(until time.Time, rest string) {
	o.t.Helper()
	o.write(`{"reason": "incident 42", "until": "` + until.UTC().Format(time.RFC3339) + `", ` + rest + `}`)
	o.pass()
}

func (o *overridden) expect(name string, want servingStatus) {
	o.t.Helper()
	if got := check(o.t, o.Server, name); got != want {
		n, _ := o.Report().Lookup(name)
		o.t.Errorf("%q is %v, want %v: %+v", name, got, want, n.Causes)
	}
}

// expectMetric compares the metric override; an empty value means that there is none.
func (o *overridden) expectMetric(value string, reason checker.Reason, text string) {
	o.t.Helper()
	m, found := o.Report().Metric("override")
	if found != (value != "") {
		o.t.Fatalf("metric override: %+v, want %q", m, value)
	}
	if found && (m.Value != value || m.Reason != reason || m.Status != checker.Warning || !strings.Contains(m.Message+m.Detail, text)) {
		o.t.Errorf("metric override is %+v, want %s, %v and %q", m, value, reason, text)
	}
}

func TestOverrideMakesACheckOptionalDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "", servicer.Config{})
		o.expectMetric("", 0, "")
		o.down.Store(true)
		o.pass()
		o.expect("readiness", notServing)
		o.override(time.Now().Add(time.Hour), `"optional": ["database"]`)
		began := time.Now()
		o.expect("readiness", serving)
		o.expect("shop.v1.Orders", serving)
		o.expectMetric("in_force", checker.ReasonManual, "optional: database")
		if m, _ := o.Report().Metric("override"); began.Sub(m.Updated) > 3*time.Second || !strings.Contains(m.Message, "incident 42") {
			t.Errorf("%+v does not say since when", m)
		}
		m, _ := o.Report().Metric("dependency_database")
		if m.Status != checker.Warning || m.Value != "unavailable" || began.Sub(m.Since) > 3*time.Second {
			t.Errorf("the metric of the check is %+v", m)
		}
		if r, _ := o.checker.Snapshot().Lookup("database"); r.Optional || r.Status != checker.Critical {
			t.Errorf("the checker has %+v, want the check as it is", r)
		}
		o.override(time.Now().Add(2*time.Hour), `"optional": ["database", "search"]`) // replaced during the outage
		o.expectMetric("in_force", checker.ReasonManual, "optional: database, search")
		o.expect("readiness", serving)
		if err := os.Remove(o.path); err != nil {
			t.Fatal(err)
		}
		o.pass()
		o.expect("readiness", notServing)
		o.expectMetric("", 0, "")
		for _, tr := range o.Report().Transitions {
			if strings.Contains(tr.Text, "for a moment") {
				t.Errorf("transition %+v: runs during the override count as an outage of their own", tr)
			}
		}
		if got := o.lines("override in force"); got != 2 {
			t.Errorf("%d lines for two overrides", got)
		}
		if o.lines("override ended") != 1 {
			t.Error("no line for the end")
		}
	})
}

func TestOverrideEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "", servicer.Config{})
		o.down.Store(true)
		until := time.Now().Add(time.Minute).Truncate(time.Second)
		o.override(until, `"optional": ["database"], "maintenance": ["shop.v1.Orders"]`)
		o.expect("shop.v1.Carts", serving)
		o.expect("shop.v1.Orders", notServing)
		if list := o.Report().Maintenance; len(list) != 1 || list[0].Reason != "incident 42" || !list[0].Until.Equal(until) {
			t.Errorf("maintenance is %+v", list)
		}
		time.Sleep(time.Until(until) - time.Nanosecond)
		o.expect("shop.v1.Carts", serving)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		o.expect("shop.v1.Carts", notServing)
		o.expectMetric("", 0, "")
		if len(o.Report().Maintenance) != 0 {
			t.Errorf("maintenance is %+v", o.Report().Maintenance)
		}
		o.pass()
		o.expectMetric("", 0, "")
		if got := o.lines("override ended"); got != 1 {
			t.Errorf("%d lines for one end", got)
		}
	})
}

func TestOverrideOfTheWholeServerKeepsTheMaintenanceOfTheApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "", servicer.Config{})
		if err := o.SetMaintenance("shop.v1.Orders", "migration", time.Hour); err != nil {
			t.Fatal(err)
		}
		o.override(time.Now().Add(time.Hour), `"maintenance": ["readiness", "shop.v1.Orders"]`)
		o.expect("", notServing)
		o.expect("shop.v1.Carts", notServing)
		o.expect("liveness", serving)
		if list := o.Report().Maintenance; len(list) != 3 || list[0].Name != "" {
			t.Errorf("maintenance is %+v", list)
		}
		o.EndMaintenance("shop.v1.Orders")
		o.expect("shop.v1.Orders", notServing) // by the override
		if err := o.SetMaintenance("shop.v1.Orders", "migration", time.Hour); err != nil {
			t.Fatal(err)
		}
		o.write("{}") // names nothing
		o.pass()
		o.expect("shop.v1.Orders", notServing) // by the application
		o.expect("shop.v1.Carts", serving)
	})
}

func TestMistakeInTheOverrideFileChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "", servicer.Config{})
		o.down.Store(true)
		o.override(time.Now().Add(24*time.Hour), `"optional": ["database"]`)
		o.expect("readiness", serving)
		future := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		valid := func(rest string) string { return `{"reason": "typo", "until": "` + future + `", ` + rest + `}` }
		first, err := os.ReadFile(o.path)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for content, want := range map[string]string{
			`{"reason": "typo", "optional": [`:                           "EOF",
			valid(`"optional": ["databse"]`):                             `unknown check "databse"`,
			valid(`"optional": [], "maintenance": ["shop.v1.Order"]`):    "unknown name",
			valid(`"maintenance": ["liveness"]`):                         "would restart the process",
			valid(`"optional": "database"`):                              "cannot unmarshal",
			valid(`"optional": ["search"], "optional": ["database"]`):    "twice",
			valid(`"Optional": ["search"]`):                              "unknown field",
			valid(`"optional": ["search"]`) + "{}":                       "after",
			valid(`"optional": ["search"], "reason": " "`):               "twice",
			`{"until": "` + future + `", "optional": ["search"]}`:        "reason is required",
			`{"reason": "typo", "optional": ["search"]}`:                 "until is required",
			`{"reason": "typo", "until": "6pm", "optional": ["search"]}`: "until",
			`["search"]`:                        "want a JSON object",
			"\xff\xfe{\x00}\x00":                "want a JSON object",
			valid(`"optional": ["search"]`)[1:]: "want a JSON object",
			strings.Repeat(" ", 65<<10) + "{}":  "longer than",
		} {
			o.write(content)
			o.pass()
			o.expect("readiness", serving)
			o.expectMetric("in_force", checker.ReasonError, want)
			m, _ := o.Report().Metric("override")
			if strings.Contains(m.Message, want) || strings.Contains(m.Message, o.path) || !strings.Contains(m.Message, "incident 42") {
				t.Errorf("%.50q: the public message is %q", content, m.Message)
			}
			time.Sleep(time.Minute)
			if lines++; o.lines("override file rejected, what was in force stays") != lines {
				t.Errorf("%.50q: not one line", content)
			}
			o.write(string(first))
			o.pass()
			o.expectMetric("in_force", checker.ReasonManual, "optional: database")
		}
		o.write("\uFEFF" + valid(`"optional": ["database", "search"]`)) // with a BOM
		o.pass()
		o.expectMetric("in_force", checker.ReasonManual, "optional: database, search")
		if o.lines("override in force") != 2 {
			t.Error("a mistake that is corrected counts as another override")
		}
	})
}

func TestOverrideFileThatIsWrongFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "not JSON", servicer.Config{})
		o.expect("readiness", serving)
		o.expectMetric("error", checker.ReasonError, "want a JSON object")
		if err := os.Remove(o.path); err != nil {
			t.Fatal(err)
		}
		o.pass()
		o.expectMetric("", 0, "")
		if err := os.Remove(filepath.Dir(o.path)); err != nil {
			t.Fatal(err)
		}
		o.pass()
		o.expectMetric("error", checker.ReasonError, "no such file") // a wrong path
	})
}

func TestOverrideWhoseEndIsPastHasNoEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, `{"reason": "incident 1", "until": "1999-12-31T23:59:59Z", "optional": ["database"]}`, servicer.Config{})
		o.down.Store(true)
		o.pass()
		o.expect("readiness", notServing)
		o.expectMetric("", 0, "")
		if o.lines("override ended") != 1 || o.lines("override in force") != 0 {
			t.Error("the log does not say that its end is past, once")
		}
		o.override(time.Now().Add(time.Hour), `"optional": ["database"]`)
		o.expect("readiness", serving)
		o.override(time.Now().Add(-time.Hour), `"optional": ["database"]`) // ends it
		o.expect("readiness", notServing)
	})
}

// TestOverrideFileOfAConfigMap replaces the folder behind a symbolic link, as a kubelet does.
func TestOverrideFileOfAConfigMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "", servicer.Config{})
		o.down.Store(true)
		dir := filepath.Dir(o.path)
		swap := func(version, rest string) {
			t.Helper()
			content := `{"reason": "incident 42", "until": "2100-01-01T00:00:00Z", ` + rest + `}`
			link := filepath.Join(dir, "..data")
			for _, err := range []error{
				os.Mkdir(filepath.Join(dir, version), 0o700),
				os.WriteFile(filepath.Join(dir, version, "override.json"), []byte(content), 0o600),
				os.Symlink(version, link+"_tmp"), os.Rename(link+"_tmp", link),
			} {
				if err != nil {
					t.Skip(err)
				}
			}
			o.pass()
		}
		if err := os.Symlink(filepath.Join("..data", "override.json"), o.path); err != nil {
			t.Skip(err)
		}
		o.pass()
		o.expectMetric("", 0, "") // the link leads nowhere
		swap("..1", `"optional": ["database"]`)
		o.expect("readiness", serving)
		swap("..2", `"optional": ["search"]  `) // as long as the first
		o.expect("readiness", notServing)
		o.expectMetric("in_force", checker.ReasonManual, "optional: search")
		if err := os.RemoveAll(filepath.Join(dir, "..2")); err != nil {
			t.Fatal(err)
		}
		o.pass()
		o.expectMetric("", 0, "")
	})
}

func TestOverrideThatIsWrittenInPlaceStaysInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "", servicer.Config{})
		o.down.Store(true)
		o.override(time.Now().Add(time.Hour), `"optional": ["database"]`)
		time.Sleep(500 * time.Millisecond)
		for _, torn := range []string{"", `{"reason": "inc`} {
			o.write(torn)
			time.Sleep(time.Second)
			synctest.Wait()
			o.expect("readiness", serving)
			o.override(time.Now().Add(time.Hour), `"optional": ["database"]`)
		}
		if o.lines("override ended")+o.lines("override file rejected, what was in force stays") != 0 {
			t.Error("a file in the middle of its replacement counts")
		}
	})
}

func TestOverrideLetsAServerStartWithoutADependency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := checker.New(checker.Config{Checks: []checker.Check{{
			Name: "database", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, Timeout: time.Minute, Gates: []string{checker.Startup},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "override.json")
		if err := os.WriteFile(path, []byte(`{"reason": "r", "until": "2100-01-01T00:00:00Z", "optional": ["database"]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		s := newServer(t, servicer.Config{Checker: c, OverrideFile: path})
		if got := s.Phase(); got != servicer.Ready {
			t.Errorf("phase is %v", got)
		}
	})
}

func TestOverriddenCheckIsNeverInTheWayOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startOverridden(t, "", servicer.Config{Groups: map[string][]string{"reading": {"database", "search"}}})
		o.down.Store(true)
		o.pass()
		o.expect("reading", notServing)
		o.override(time.Now().Add(time.Hour), `"optional": ["database"]`)
		o.expect("reading", serving)
		o.expect("database", serving)
	})
}
