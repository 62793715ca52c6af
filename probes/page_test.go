package probes_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func pageOf(t testing.TB, report *servicer.Report) string {
	t.Helper()
	h := newHandler(t, probes.HandlerConfig{
		Source: newScript(report), Title: "shop", Details: servicer.Details{Policy: servicer.DetailsAlways},
	})
	return get(t, h, "/health", "Accept", "text/html").Body.String()
}

// wordyReport has a text wherever a user can put one.
func wordyReport(text string) *servicer.Report {
	r := criticalReport()
	r.Version = text
	check := *r.Checks[2]
	check.Name, check.Title, check.Message, check.Err = "x"+text, text, text, errorString(text)
	measured := *r.Checks[1]
	measured.Title, measured.Measurement.Source, measured.Measurement.Unit = text, text, text
	r.Checks = []*checker.Result{r.Checks[0], &measured, &check}
	r.Metrics[1].Value, r.Metrics[1].Unit = text, text
	r.Metrics = append(r.Metrics, servicer.Metric{Name: text, Message: text, Status: checker.Warning, Detail: text})
	r.Maintenance = []servicer.Maintenance{{Name: "m" + text, Reason: text, Until: r.EvaluatedAt}}
	r.Transitions = []servicer.Transition{{At: r.EvaluatedAt, Subject: text, From: text, To: text, Reason: checker.ReasonError, Text: text}}
	r.Names = append(r.Names, servicer.ServingName{Name: "n" + text, Causes: []servicer.Cause{{Text: text}, {Check: text}}})
	r.Breakers = []breaker.Snapshot{{
		Name: text, State: breaker.Open, Forced: true, ForcedReason: text, LastFailure: errorString(text), RetryAt: r.EvaluatedAt,
	}}
	r.Requests = &interceptor.Snapshot{Time: r.EvaluatedAt, Total: interceptor.Stats{Started: 1}}
	return r
}

type errorString string

func (e errorString) Error() string { return string(e) }

func TestUserTextIsEscaped(t *testing.T) {
	t.Parallel()
	tags := regexp.MustCompile(`<[!/a-zA-Z][^\s>]*`)
	want := tags.FindAllString(pageOf(t, wordyReport("harmless")), -1)
	for name, text := range map[string]string{
		"script":    `<script>alert("1")</script>`,
		"attribute": `" onload="alert(1)" x='`,
		"comment":   `--><!--`,
		"closing":   `</title></style></svg></script><img src=x onerror=alert(1)>`,
		"newlines":  "a\nb\r\n\u2028c\x00\x1b[31m",
		"invalid":   "\xff\xfe<b>",
		"template":  `{{.Title}}{{template "row"}}`,
		"entities":  `&lt;b&gt;&#x3c;i&#x3e;`,
		"long":      strings.Repeat("<b>y", 2500),
	} {
		page := pageOf(t, wordyReport(text))
		if got := tags.FindAllString(page, -1); !slices.Equal(got, want) {
			t.Errorf("%s: the page has %d tags, want the %d that harmless text gives", name, len(got), len(want))
		}
		if strings.Contains(text, "<") && strings.Contains(page, text) {
			t.Errorf("%s: text stands in the page as it is", name)
		}
		if strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: the template engine had to remove something", name)
		}
	}
}

// A proxy's own policy, such as default-src 'self', allows what comes from the path of the page itself.
func TestPageLoadsOnlyFilesOfItsOwnPath(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
	w := get(t, h, "/health?format=html")
	policy := w.Header().Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, directive) {
			t.Errorf("policy %q lacks %q", policy, directive)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	page := w.Body.String()
	loads := regexp.MustCompile(`<(?:script|link)[^>]* (?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	if len(loads) != len(kinds) {
		t.Fatalf("the page loads %v, want a style, a script and an icon", loads)
	}
	for _, file := range loads {
		w := get(t, h, "/health"+file[1], "Accept", "*/*")
		if got := w.Header().Get("Content-Type"); w.Code != 200 || got != kinds[path.Ext(file[1])] || w.Body.Len() < 100 {
			t.Errorf("%s: status %d, %s, %d bytes", file[1], w.Code, got, w.Body.Len())
		}
	}
	if w := get(t, h, "/health?file=page.go"); w.Code != 404 {
		t.Errorf("a file that the page has not: status %d", w.Code)
	}
	for _, element := range []string{"<style", "<script>"} {
		if strings.Contains(page, element) {
			t.Errorf("the page holds %s, which a strict policy forbids", element)
		}
	}
	for _, pattern := range []string{`\sstyle=`, `\son[a-z]+=`, `(src|href)="(https?:)?//`, `@import`, `url\(`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page holds %q, which the policy forbids or which loads something", found)
		}
	}
}

func TestPageShowsTheWorstFirst(t *testing.T) {
	t.Parallel()
	r := criticalReport()
	r.Checks[0] = &checker.Result{Name: "cache", Status: checker.Warning, At: r.EvaluatedAt}
	page := pageOf(t, r)
	var places []int
	for _, name := range []string{"<h3>database", "<h3>cache", "<b>cpu_usage"} {
		places = append(places, strings.Index(page, name))
	}
	if places[0] < 0 || !slices.IsSorted(places) {
		t.Errorf("database, cache and cpu_usage stand at %v", places)
	}
	if !strings.Contains(page, "<h1>Not serving</h1>") || !strings.Contains(page, `held back by database</span> <span class="sum"><b class="pill critical">critical</b> database`) {
		t.Error("the verdict or its reason is missing")
	}
}

func TestPageLeadsWithWhatServes(t *testing.T) {
	t.Parallel()
	r := criticalReport()
	r.Checks = []*checker.Result{
		{Name: "cpu_usage", Kind: checker.Resource, Status: checker.Critical, At: r.EvaluatedAt},
		{Name: "database", Status: checker.Critical, Gates: []string{checker.Readiness}, At: r.EvaluatedAt},
		{Name: "cache", Status: checker.Warning, At: r.EvaluatedAt},
	}
	page := pageOf(t, r)
	var places []int
	for _, text := range []string{"<h1>Not serving</h1>", `href="ready?verbose"`, "<h3>database", "<h3>cache", "<h3>cpu_usage"} {
		places = append(places, strings.Index(page, text))
	}
	if places[0] < 0 || !slices.IsSorted(places) {
		t.Errorf("the verdict, readiness, database, cache and cpu_usage are at %v", places)
	}
}

func TestPageOfEveryState(t *testing.T) {
	t.Parallel()
	for want, report := range map[string]*servicer.Report{
		"Serving": healthyReport(), "Serving, warning": warningReport(), "Not serving": criticalReport(),
		"Starting": startingReport(), "Draining": drainingReport(),
	} {
		if page := pageOf(t, report); !strings.Contains(page, "<title>"+want+" · shop</title>") {
			t.Errorf("the title of the page does not say %s", want)
		}
	}
	if page := pageOf(t, nil); !strings.Contains(page, "no checks") {
		t.Error("the page of a process without checks does not say so")
	}
}

func TestPageShowsOverrideShadowAndProbers(t *testing.T) {
	t.Parallel()
	r := warningReport()
	r.Metrics = append(r.Metrics, servicer.Metric{
		Name: "override", Kind: "evaluation", Value: "in_force", Status: checker.Warning, Message: "cache is optional until noon",
	})
	r.Shadow = []servicer.ServingName{{Name: "readiness", Causes: []servicer.Cause{{Check: "replica"}}}}
	r.Probers = []servicer.Prober{
		{Kind: "envoy", Protocol: "grpc", Requests: 9, Interval: time.Second, Last: r.EvaluatedAt, Answer: "SERVING"},
		{Kind: "kubelet", Protocol: "http", Name: "/readyy", Unknown: true, Requests: 1, Last: r.EvaluatedAt, Answer: "404"},
	}
	r.ConfigHash = "c0ffee"
	r.Settings = []servicer.Setting{
		{Name: "DrainDelay", Value: "10s", Origin: "environment", Variable: "PLUGIN_HEALTH_DRAIN_DELAY"}, {Name: "Envoy", Origin: "default"},
	}
	if page := get(t, newHandler(t, probes.HandlerConfig{Source: newScript(r)}), "/health?format=html").Body.String(); strings.Contains(page, "DrainDelay") {
		t.Error("the page shows the configuration to everybody")
	}
	page := pageOf(t, r)
	for _, text := range []string{
		">1 of 2 set · c0ffee<", `<b>DrainDelay</b> <span class="state">10s</span>`, "environment: PLUGIN_HEALTH_DRAIN_DELAY",
		"2 · kubelet unknown<", "grpc “” · 9 requests, every 1.0 s ·", "http /readyy · no such name · 1 request ·",
		"<b>Override</b> cache is optional until noon", ">Would not serve</h2>", `<span class="state">shadow</span>`, ">replica</span>",
	} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
}

func TestPageRemembersRuns(t *testing.T) {
	t.Parallel()
	source := newScript(healthyReport())
	h := newHandler(t, probes.HandlerConfig{Source: source})
	base := time.Now()
	for i := range 100 {
		r := criticalReport()
		if i%2 == 0 {
			r = healthyReport()
		}
		for _, check := range r.Checks {
			check.At = base.Add(time.Duration(i) * time.Second)
		}
		source.publish(r)
		get(t, h, "/health?format=html")
	}
	if page := get(t, h, "/health?format=html").Body.String(); !strings.Contains(page, "last 48 runs: 24 healthy, 24 critical") {
		t.Error("the page does not show the last 48 of 100 runs")
	}
}

// A bar without a limit would be full at any value, and the end of a scale reads like a peak.
func TestPageDrawsNoLimitsThatDoNotExist(t *testing.T) {
	t.Parallel()
	r := healthyReport()
	bounded, unbounded := *r.Checks[1], *r.Checks[1]
	unbounded.Name, unbounded.Critical, unbounded.Measurement = "queue", checker.Limit{}, checker.Measurement{Value: 3, Unit: " jobs"}
	r.Checks = []*checker.Result{&bounded, &unbounded}
	r.Requests = &interceptor.Snapshot{Time: r.EvaluatedAt, Total: interceptor.Stats{Started: 1}}
	page := pageOf(t, r)
	if bars := strings.Count(page, `class="meter"`); bars != 1 || !strings.Contains(page, "<b>queue</b>") {
		t.Errorf("%d bars for one limit", bars)
	}
	if strings.Contains(page, "peak") || strings.Contains(page, "max<") || !strings.Contains(page, "Failed <b>0 %</b>") {
		t.Error("the charts of a server without failures show a peak")
	}
}

func TestTransitionListsNamesThatChangedTogether(t *testing.T) {
	t.Parallel()
	r := criticalReport()
	r.Transitions = []servicer.Transition{
		{Seq: 7, At: r.EvaluatedAt, Subject: "name/readiness", Names: []string{"", "readiness", "shop.v1.Orders"}, To: "NOT_SERVING"},
		{Seq: 6, At: r.EvaluatedAt, Subject: "name/alone", Names: []string{"alone"}, To: "NOT_SERVING"},
	}
	h := newHandler(t, probes.HandlerConfig{Source: newScript(r)})
	page := get(t, h, "/health?format=html").Body.String()
	if !strings.Contains(page, "together: “”, readiness, shop.v1.Orders<") || strings.Count(page, "together:") != 1 {
		t.Error("the page does not tell which names changed together")
	}
	document := get(t, h, "/health?format=json").Body.String()
	if !strings.Contains(document, `"seq":7`) || !strings.Contains(document, `"names":["","readiness","shop.v1.Orders"]`) {
		t.Errorf("the document does not tell which names changed together: %s", document)
	}
}
