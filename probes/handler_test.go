package probes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func ExampleNewHandler() {
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := probes.NewHandler(probes.HandlerConfig{Source: health, Details: health.Details()})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	fmt.Println("GET /ready answers", statusOf(mux, "/ready"))
	// Output: GET /ready answers 200
}

func TestStatusOfEveryPath(t *testing.T) {
	t.Parallel()
	reports := map[string]*servicer.Report{
		"healthy": healthyReport(), "warning": warningReport(), "critical": criticalReport(),
		"starting": startingReport(), "draining": drainingReport(), "stopped": stoppedReport(), "dead": hangingReport(), "unborn": nil,
	}
	table := []struct {
		path string
		bad  string // reports under which the path answers 503
	}{
		{"/health", "critical starting draining stopped dead unborn"},
		{"/health?strict", "warning critical starting draining stopped dead unborn"},
		{"/health?strict=false", "critical starting draining stopped dead unborn"},
		{"/live", "dead"},
		{"/livez", "dead"},
		{"/ready", "critical starting draining stopped unborn"},
		{"/readyz", "critical starting draining stopped unborn"},
		{"/startup", "starting unborn"},
		{"/startupz", "starting unborn"},
		{"/health/database", "critical starting"},
		{"/health/dependency_database", "critical starting"},
		{"/health/cache", ""},
		{"/health/cache?strict", "warning"},
		{"/health/badge.svg", ""},
		{"/health/config.json", ""},
		{"/metrics", ""},
	}
	for name, report := range reports {
		metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "up 1\n") })
		h := newHandler(t, probes.HandlerConfig{Source: newScript(report), Metrics: metrics})
		for _, row := range table {
			want := http.StatusOK
			if slices.Contains(strings.Fields(row.bad), name) {
				want = http.StatusServiceUnavailable
			}
			if report == nil && strings.HasPrefix(row.path, "/health/") && row.path != "/health/badge.svg" && row.path != "/health/config.json" {
				want = http.StatusNotFound
			}
			if got := get(t, h, row.path).Code; got != want {
				t.Errorf("%s: GET %s = %d, want %d", name, row.path, got, want)
			}
		}
	}
}

func TestUnknownPathsAreNotFound(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
	for _, path := range []string{
		"/health/", "/health/nobody", "/health/../live", "/healthz", "/live/", "/debug/pprof/", "//health",
	} {
		if got := get(t, h, path).Code; got != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, got)
		}
	}
}

func TestOnlyGetAndHead(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
	for _, path := range []string{"/health", "/live", "/ready", "/startup", "/health/database", "/health/badge.svg"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get"} {
			w := send(t, h, method, path)
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s = %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	t.Parallel()
	for name, report := range map[string]*servicer.Report{"healthy": healthyReport(), "critical": criticalReport()} {
		h := newHandler(t, probes.HandlerConfig{Source: newScript(report)})
		for _, path := range []string{"/health", "/health?format=html", "/live", "/ready?verbose", "/health/database", "/nobody"} {
			got, head := get(t, h, path), send(t, h, http.MethodHead, path)
			if head.Code != got.Code || head.Body.Len() != 0 {
				t.Errorf("%s: HEAD %s = %d with %d bytes, GET %d", name, path, head.Code, head.Body.Len(), got.Code)
			}
			for _, header := range []string{"Content-Type", "Content-Length"} {
				if head.Header().Get(header) != got.Header().Get(header) {
					t.Errorf("HEAD %s: %s %q, GET %q", path, header, head.Header().Get(header), got.Header().Get(header))
				}
			}
			if got.Header().Get("Content-Length") != strconv.Itoa(got.Body.Len()) {
				t.Errorf("GET %s: Content-Length %s, body %d", path, got.Header().Get("Content-Length"), got.Body.Len())
			}
		}
	}
}

func TestEveryResponseHasNoStoreAndNosniff(t *testing.T) {
	t.Parallel()
	metrics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	h := newHandler(t, probes.HandlerConfig{Source: newScript(criticalReport()), Metrics: metrics})
	for _, path := range []string{
		"/health", "/health?format=html", "/health?format=health", "/live", "/ready?verbose", "/startup",
		"/health/database", "/health/badge.svg", "/health/config.json", "/metrics", "/nobody",
	} {
		header := get(t, h, path).Header()
		if header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s: Cache-Control %q, X-Content-Type-Options %q", path,
				header.Get("Cache-Control"), header.Get("X-Content-Type-Options"))
		}
	}
}

func TestProbeBodies(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		report *servicer.Report
		target string
		code   int
		body   string
	}{
		"ok":            {healthyReport(), "/ready", 200, "ok"},
		"failing names": {criticalReport(), "/ready", 503, "database\n"},
		"draining":      {drainingReport(), "/ready", 503, "draining\n"},
		"live in drain": {drainingReport(), "/live", 200, "ok"},
		"verbose":       {healthyReport(), "/ready?verbose", 200, "[+]database ok\nreadyz check passed\n"},
		"verbose unproven": {
			neverPassedReport(), "/ready?verbose", 503, "[-]database failed: timeout\nreadyz check failed\n",
		},
		"verbose failing": {
			criticalReport(), "/ready?verbose", 503, "[-]database failed: error\nreadyz check failed\n",
		},
		"verbose draining": {
			drainingReport(), "/readyz?verbose=1", 503, "[+]database ok\n[-]draining\nreadyz check failed\n",
		},
		"excluded":         {criticalReport(), "/ready?exclude=database", 200, "ok"},
		"excluded, listed": {criticalReport(), "/ready?verbose&exclude=database", 200, "[ ]database excluded\nreadyz check passed\n"},
		"unknown excluded, silent": {
			criticalReport(), "/ready?exclude=nobody", 503, "database\n",
		},
		"unknown excluded, verbose": {
			healthyReport(), "/ready?verbose&exclude=no%0Abody&exclude=database", 200,
			"[ ]database excluded\nwarning: exclude=\"no\\nbody\" matches no check of this probe\nreadyz check passed\n",
		},
		"a phase cannot be excluded": {drainingReport(), "/ready?exclude=draining&exclude=", 503, "draining\n"},
		"no report, excluded":        {nil, "/ready?exclude=database", 503, "failing\n"},
		"nothing excluded, verbose": {
			drainingReport(), "/ready?verbose&exclude=", 503,
			"[+]database ok\n[-]draining\nwarning: exclude=\"\" matches no check of this probe\nreadyz check failed\n",
		},
		"liveness":     {hangingReport(), "/live?verbose", 503, "[-]loop\nlivez check failed\n"},
		"broken query": {healthyReport(), "/live?%zz&;&verbose=0", 200, "ok"},
	} {
		h := newHandler(t, probes.HandlerConfig{Source: newScript(row.report)})
		w := get(t, h, row.target)
		if w.Code != row.code || w.Body.String() != row.body {
			t.Errorf("%s: GET %s = %d %q, want %d %q", name, row.target, w.Code, w.Body, row.code, row.body)
		}
	}
}

func TestLongQueriesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
	if got := get(t, h, "/ready?"+strings.Repeat("exclude=a&", 1000)).Code; got != http.StatusRequestURITooLong {
		t.Errorf("status %d, want 414", got)
	}
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(criticalReport())})
	w := get(t, h, "/health")
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	var doc struct {
		Overall   string                          `json:"overall_status"`
		Uptime    float64                         `json:"uptime_seconds"`
		Timestamp string                          `json:"timestamp"`
		Version   string                          `json:"version"`
		Phase     string                          `json:"phase"`
		Metrics   map[string]map[string]any       `json:"metrics"`
		Names     []struct{ Name, Status string } `json:"names"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Overall != "critical" || doc.Version != "v1.2.3" || doc.Phase != "ready" || doc.Uptime < 3600 ||
		!strings.HasSuffix(doc.Timestamp, "Z") || len(doc.Names) != 4 {
		t.Errorf("report %+v", doc)
	}
	database := doc.Metrics["dependency_database"]
	for field, want := range map[string]any{
		"value": "unavailable", "status": "critical", "message": "Dependency database is unavailable",
		"threshold": "", "reason": "error",
	} {
		if database[field] != want {
			t.Errorf("dependency_database.%s = %v, want %v", field, database[field], want)
		}
	}
	if cpu := doc.Metrics["cpu_usage"]; cpu["number"] != 42.0 || cpu["unit"] != "%" || cpu["threshold"] != "80" {
		t.Errorf("cpu_usage = %v", cpu)
	}
}

// measuredReport has a number without a unit, and one with a unit that could not be read again.
func measuredReport() *servicer.Report {
	r := criticalReport()
	r.Metrics = append(r.Metrics,
		servicer.Metric{Name: "goroutines", Kind: "resource", Subject: "goroutines", Value: "23.0", Number: 23, Unit: "1", Status: checker.Healthy},
		servicer.Metric{Name: "lag", Kind: "resource", Subject: "lag", Value: "timeout", Number: 0, Unit: "", Status: checker.Warning, Message: "Lag check timed out"})
	r.Checks = append(r.Checks,
		&checker.Result{Name: "goroutines", Kind: checker.Resource, Value: "23.0", Measurement: checker.Measurement{Value: 23}},
		&checker.Result{Name: "lag", Kind: checker.Resource, Value: "timeout", Measurement: checker.Measurement{Value: 7, Unit: "ms"}})
	return r
}

// Unitless values have a number as well, and values that are no numbers have none.
func TestNumbersInAllFormats(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(measuredReport())})
	type metric struct {
		Number any
		Unit   string
	}
	var whole struct{ Metrics map[string]metric }
	var draft struct {
		Checks map[string][]struct {
			ComponentType string
			ObservedValue any
		}
	}
	decode(t, get(t, h, "/health"), &whole)
	decode(t, get(t, h, "/health?format=health"), &draft)
	for name, want := range map[string]any{"goroutines": 23.0, "lag": nil} {
		var alone metric
		decode(t, get(t, h, "/health/"+name), &alone)
		if got := whole.Metrics[name].Number; got != want {
			t.Errorf("/health: number of %s is %v, want %v", name, got, want)
		}
		if alone.Number != want || strings.TrimSpace(alone.Unit) != alone.Unit {
			t.Errorf("/health/%s: number %v %q, want %v", name, alone.Number, alone.Unit, want)
		}
	}
	for key, want := range map[string]any{"goroutines:value": 23.0, "lag:value": "timeout"} {
		if got := draft.Checks[key]; len(got) != 1 || got[0].ObservedValue != want || got[0].ComponentType != "system" {
			t.Errorf("application/health+json: %s is %v, want %v of the system", key, got, want)
		}
	}
}

func decode(t testing.TB, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatal(err)
	}
}

// Who may not see the cause still learns what is wrong: the draft has one field for both.
func TestHealthJSONOutputDependsOnDetails(t *testing.T) {
	t.Parallel()
	for policy, want := range map[servicer.DetailsPolicy]string{
		servicer.DetailsNever:  "Dependency database is unavailable",
		servicer.DetailsAlways: "postgres://app:" + secret + "@db",
	} {
		h := newHandler(t, probes.HandlerConfig{Source: newScript(criticalReport()), Details: servicer.Details{Policy: policy}})
		var doc struct {
			Checks map[string][]struct{ Status, Output string }
		}
		decode(t, get(t, h, "/health?format=health"), &doc)
		if got := doc.Checks["database:responseTime"]; len(got) != 1 || got[0].Output != want {
			t.Errorf("policy %v: %+v, want the output %q", policy, got, want)
		}
		for key, checks := range doc.Checks {
			if (checks[0].Status == "pass") && checks[0].Output != "" {
				t.Errorf("policy %v: %s passes with the output %q", policy, key, checks[0].Output)
			}
		}
	}
}

func TestHealthJSON(t *testing.T) {
	t.Parallel()
	type check struct {
		ComponentType, ObservedUnit, Status, Time, Output string
		ObservedValue                                     any
	}
	for name, row := range map[string]struct {
		report *servicer.Report
		target string
		status string
	}{
		"pass":        {healthyReport(), "/health", "pass"},
		"warn":        {warningReport(), "/health", "warn"},
		"strict warn": {warningReport(), "/health?strict", "fail"},
		"fail":        {criticalReport(), "/health", "fail"},
		"draining":    {drainingReport(), "/health", "fail"},
	} {
		h := newHandler(t, probes.HandlerConfig{Source: newScript(row.report)})
		w := get(t, h, row.target, "Accept", "application/health+json")
		var doc struct {
			Status, Version string
			Checks          map[string][]check
		}
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Fatal(name, err)
		}
		if doc.Status != row.status || doc.Version != "v1.2.3" || w.Header().Get("Content-Type") != "application/health+json" {
			t.Errorf("%s: status %q, version %q, type %q", name, doc.Status, doc.Version, w.Header().Get("Content-Type"))
		}
		if (doc.Status == "fail") != (w.Code == 503) {
			t.Errorf("%s: status %q with HTTP %d", name, doc.Status, w.Code)
		}
		database, cpu := doc.Checks["database:responseTime"], doc.Checks["cpu:utilization"]
		if len(database) != 1 || database[0].ObservedValue != 3.0 || database[0].ObservedUnit != "ms" ||
			len(cpu) != 1 || cpu[0].ComponentType != "system" || cpu[0].ObservedValue != 42.0 || cpu[0].ObservedUnit != "%" {
			t.Errorf("%s: database %+v, cpu %+v", name, database, cpu)
		}
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
	for accept, want := range map[string]string{
		"":                         "application/json",
		"*/*":                      "application/json",
		"application/*":            "application/json",
		"image/png":                "application/json",
		"nonsense;;q=,,/":          "application/json",
		"application/health+json":  "application/health+json",
		"Application/Health+JSON ": "application/health+json",
		"application/json;q=0.5, application/health+json":                            "application/health+json",
		"application/json, application/health+json":                                  "application/json",
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8": "text/html; charset=utf-8",
		"application/json, text/javascript, */*; q=0.01":                             "application/json",
		"text/*;q=0.9, application/json;q=0.1":                                       "text/html; charset=utf-8",
		"*/*, application/json;q=0":                                                  "application/health+json",
		"text/html;q=7":                                                              "application/json",
	} {
		var headers []string
		if accept != "" {
			headers = []string{"Accept", accept}
		}
		if got := get(t, h, "/health", headers...).Header().Get("Content-Type"); got != want {
			t.Errorf("Accept %q: %q, want %q", accept, got, want)
		}
	}
}

func TestNewReportIsServedAtOnce(t *testing.T) {
	t.Parallel()
	source := newScript(healthyReport())
	h := newHandler(t, probes.HandlerConfig{Source: source})
	for range 3 {
		source.publish(criticalReport())
		if got := get(t, h, "/ready").Code; got != 503 {
			t.Fatalf("after the database has gone: %d", got)
		}
		source.publish(healthyReport())
		if got := get(t, h, "/ready").Code; got != 200 {
			t.Fatalf("after the database has come back: %d", got)
		}
	}
}

func TestBadgeShowsTheStatus(t *testing.T) {
	t.Parallel()
	for want, report := range map[string]*servicer.Report{
		"healthy": healthyReport(), "critical": criticalReport(), "draining": drainingReport(), "starting": startingReport(),
	} {
		w := get(t, newHandler(t, probes.HandlerConfig{Source: newScript(report)}), "/health/badge.svg")
		if w.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(w.Body.String(), ">"+want+"</text>") {
			t.Errorf("badge of %s: %s", want, w.Body)
		}
	}
}

func TestNewHandlerNeedsASource(t *testing.T) {
	t.Parallel()
	if _, err := probes.NewHandler(probes.HandlerConfig{}); err == nil || !strings.Contains(err.Error(), "HandlerConfig.Source") {
		t.Errorf("error %v does not name the field", err)
	}
}

func TestChecksWithOddNames(t *testing.T) {
	t.Parallel()
	r := healthyReport()
	r.Checks = append(r.Checks, &checker.Result{Name: "disk:/var/lib x", Status: checker.Healthy})
	h := newHandler(t, probes.HandlerConfig{Source: newScript(r)})
	if got := get(t, h, "/health/disk:%2Fvar/lib%20x").Code; got != 200 {
		t.Errorf("status %d", got)
	}
}

func TestRootRedirectsToHealthBelowAnyPrefix(t *testing.T) {
	handler := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("/internal/vitals/", http.StripPrefix("/internal/vitals", handler))
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, prefix := range []string{"", "/internal/vitals"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			request, err := http.NewRequestWithContext(t.Context(), method, server.URL+prefix+"/", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Request.URL.Path; got != prefix+"/health" || resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s/ leads to %s with %s", method, prefix, got, resp.Header.Get("Content-Type"))
			}
		}
	}
}

func TestMetricsThatAreOffSayHowToTurnThemOn(t *testing.T) {
	handler := newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})
	w := get(t, handler, "/metrics")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "PLUGIN_ENABLE_PROMETHEUS=true") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}
