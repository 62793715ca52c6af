package probes

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/probes/statuspage"
	"github.com/vitals-go/vitals/servicer"
)

// HandlerConfig configures a Handler. The zero value of every optional field is the default.
type HandlerConfig struct {
	// Source of the reports. Required.
	Source servicer.ReportSource
	// Details allows raw errors, such as those of a dependency, to some callers. Default: none.
	Details servicer.Details
	// Metrics serves /metrics. Default: 404 with a text that says how to turn it on.
	Metrics http.Handler
	// Title of the status page. Default: the program's name.
	Title string
	// Envoy adds the headers of Envoy's HTTP health checker to /health and /ready: x-envoy-degraded while readiness serves
	// and the overall status is warning or critical, x-envoy-immediate-health-check-fail during a drain; see
	// servicer.Report.EnvoyHeader.
	Envoy bool
}

// Handler serves the HTTP endpoints. It responds to GET and HEAD of these paths, and to no others:
//
//	/                  redirects to /health, also below a prefix that http.StripPrefix removes
//	/health            200 while the overall status is healthy or warning and the process is not draining, else 503.
//	                   JSON; application/health+json, text/html or an event stream by the Accept header or
//	                   ?format=json|health|html. ?strict makes a warning fail. ?file is what the page loads.
//	/health/<name>     the same for one check, metric or gRPC name, JSON; 404 if there is none of that name
//	/health/config.json  the hash of the configuration and, for callers that see details, every setting with its origin
//	/health/badge.svg  an image of the overall status, always 200
//	/live /livez       200 "ok" while the name liveness serves, else 503 and the failing names, one a line
//	/ready /readyz     the same for readiness
//	/startup /startupz the same for startup; once passed, it never fails again
//	/metrics           HandlerConfig.Metrics
//
// /live, /ready and /startup list every check with ?verbose and leave one out with ?exclude=name, which may be repeated.
//
// A Handler is safe for concurrent use, also behind middleware.
type Handler struct {
	cfg   HandlerConfig
	page  *statuspage.Page
	cache response.Cache[rendered]
	probe probeRecorder // nil if Source is none
}

// probeRecorder is implemented by servicer.Server.
type probeRecorder interface {
	RecordProbe(request *http.Request, status int)
}

// NewHandler returns a Handler.
func NewHandler(cfg HandlerConfig) (*Handler, error) {
	if cfg.Source == nil {
		return nil, errors.New("probes: HandlerConfig.Source is required")
	}
	page, err := statuspage.New(statuspage.Config{Source: cfg.Source, Details: cfg.Details, Title: cfg.Title})
	if err != nil {
		return nil, err
	}
	recorder, _ := cfg.Source.(probeRecorder)
	return &Handler{cfg: cfg, page: page, probe: recorder}, nil
}

// Run is statuspage.Page.Run of the page at /health.
func (h *Handler) Run(ctx context.Context) error { return h.page.Run(ctx) }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status := h.serve(w, r); status != 0 && h.probe != nil {
		h.probe.RecordProbe(r, status)
	}
}

// serve returns the status of a response to probers, 0 for what is for people and scrapers.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (status int) {
	serve := h.route(r.URL.Path)
	switch {
	case serve == nil:
		status = http.StatusNotFound
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		status = http.StatusMethodNotAllowed
	case len(r.URL.RawQuery) > maxQuery:
		status = http.StatusRequestURITooLong
	default:
		return serve(h, w, r)
	}
	response.SendStatus(w, r, status)
	return status
}

// route returns what serves a path, nil if nothing does.
func (h *Handler) route(path string) func(*Handler, http.ResponseWriter, *http.Request) int {
	switch path {
	case "/", "":
		return (*Handler).redirect
	case "/health":
		return (*Handler).serveHealth
	case "/live", "/livez":
		return func(h *Handler, w http.ResponseWriter, r *http.Request) int { return h.rendered().live.serve(w, r) }
	case "/ready", "/readyz":
		return (*Handler).serveReady
	case "/startup", "/startupz":
		return func(h *Handler, w http.ResponseWriter, r *http.Request) int { return h.rendered().startup.serve(w, r) }
	case "/health/badge.svg":
		return func(h *Handler, w http.ResponseWriter, r *http.Request) int { h.page.ServeBadge(w, r); return 0 }
	case "/health/config.json":
		return (*Handler).serveConfig
	case "/metrics":
		return (*Handler).serveMetrics
	}
	if name, below := strings.CutPrefix(path, "/health/"); below && name != "" {
		return (*Handler).serveName
	}
	return nil
}

func (h *Handler) serveHealth(w http.ResponseWriter, r *http.Request) int {
	q := parseQuery(r.URL.RawQuery)
	d := h.rendered()
	h.setEnvoyHeader(w, d.Report)
	status := response.Status(response.Healthy(d.Report, q.strict))
	switch formatOf(q, r.Header["Accept"]) {
	case formatHealth:
		d.healthJSON(h.viewer(r), q.strict).Send(w, r, status)
	case formatHTML:
		h.page.ServeHTML(w, r)
		return 0
	case formatEvents:
		h.page.ServeEvents(w, r)
		return 0
	default:
		d.reportJSON(h.viewer(r)).Send(w, r, status)
	}
	return status
}

func (h *Handler) viewer(r *http.Request) response.Viewer { return response.ViewerOf(h.cfg.Details, r) }

func (h *Handler) serveReady(w http.ResponseWriter, r *http.Request) int {
	d := h.rendered()
	h.setEnvoyHeader(w, d.Report)
	return d.ready.serve(w, r)
}

// redirect leads to /health. The location is relative: the handler may be mounted below a prefix that it does not know. The
// path is empty when that is all that was requested.
func (h *Handler) redirect(w http.ResponseWriter, r *http.Request) int {
	location := "health"
	if requested, err := url.ParseRequestURI(r.RequestURI); r.URL.Path == "" && err == nil {
		prefix := requested.EscapedPath()
		location = "." + prefix[strings.LastIndexByte(prefix, '/'):] + "/health"
	}
	w.Header().Set("Location", location)
	response.SendStatus(w, r, http.StatusFound)
	return http.StatusFound
}

func (h *Handler) serveMetrics(w http.ResponseWriter, r *http.Request) int {
	if h.cfg.Metrics == nil {
		response.New(response.Text, []byte("metrics are off: set PLUGIN_ENABLE_PROMETHEUS=true, or HandlerConfig.Metrics\n")).
			Send(w, r, http.StatusNotFound)
		return 0
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	h.cfg.Metrics.ServeHTTP(w, r)
	return 0
}

// serveName serves the check, metric or gRPC name after /health/, the first that exists.
func (h *Handler) serveName(w http.ResponseWriter, r *http.Request) int {
	report := response.Latest(h.cfg.Source)
	name := strings.TrimPrefix(r.URL.Path, "/health/")
	strict := parseQuery(r.URL.RawQuery).strict
	var body []byte
	var ok bool
	serves := func(s checker.Status) bool { return s == checker.Healthy || !strict && s.Serves() }
	if result, found := lookup(report.Checks, name); found {
		entry, known := report.Lookup(name) // It also has a manual status, maintenance and the drain.
		served := !known || entry.Status == healthpb.HealthCheckResponse_SERVING
		body, ok = response.JSON(checkOf(result, h.viewer(r))), served && serves(result.Status)
	} else if metric, found := report.Metric(name); found {
		body, ok = response.JSON(checkDocument{Name: metric.Name, metricDocument: metricOf(metric, h.viewer(r))}), serves(metric.Status)
	} else if entry, found := report.Lookup(name); found {
		body, ok = response.JSON(nameOf(*entry)), entry.Status == healthpb.HealthCheckResponse_SERVING
	} else {
		response.SendStatus(w, r, http.StatusNotFound)
		return http.StatusNotFound
	}
	response.New(typeJSON, body).Send(w, r, response.Status(ok))
	return response.Status(ok)
}

func (h *Handler) setEnvoyHeader(w http.ResponseWriter, report *servicer.Report) {
	if header := report.EnvoyHeader(); h.cfg.Envoy && header != "" {
		w.Header().Set(header, "true")
	}
}

// The media types of /health.
const (
	typeJSON   = "application/json"
	typeHealth = "application/health+json"
)

// rendered is what the endpoints send for one report. Documents are rendered at the first request for them.
type rendered struct {
	response.Rendering

	live, ready, startup probe

	json [response.Viewers]response.Lazy[*response.Document]
	// health is indexed by viewer and by strictness, which changes the status inside the document.
	health [response.Viewers][2]response.Lazy[*response.Document]
}

func newRendered(r response.Rendering) *rendered {
	return &rendered{
		Rendering: r,
		live:      newProbe("livez", response.Live(r.Report)),
		ready:     newProbe("readyz", response.Ready(r.Report)),
		startup:   newProbe("startupz", response.Started(r.Report)),
	}
}

// rendered returns the newest one.
func (h *Handler) rendered() *rendered { return h.cache.Get(h.cfg.Source, newRendered) }

func (d *rendered) reportJSON(v response.Viewer) *response.Document {
	return d.json[v].Get(func() *response.Document { return response.New(typeJSON, reportJSON(d.Rendering, v)) })
}

func (d *rendered) healthJSON(v response.Viewer, strict bool) *response.Document {
	i := 0
	if strict {
		i = 1
	}
	return d.health[v][i].Get(func() *response.Document { return response.New(typeHealth, healthJSON(d.Rendering, v, strict)) })
}
