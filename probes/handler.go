package probes

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// HandlerConfig says what a Handler repeats and to whom. The zero value of every optional field is the default.
type HandlerConfig struct {
	// Health is whose verdict is repeated. Required.
	Source servicer.ReportSource
	// Details says who may see raw causes, such as the text of a dependency's error. Default: nobody.
	Details servicer.Details
	// Metrics answers /metrics. Default: there is no such path.
	Metrics http.Handler
	// Title heads the status page and the browser's tab. Default: the program's name.
	Title string
	// EventStreams bounds how many pages are kept up to date at a time; further ones show the state in which they
	// were loaded and try again. Default 64; negative: none.
	EventStreams int
	// Envoy adds to the answers of /health and /ready the headers that Envoy's HTTP health checker heeds:
	// x-envoy-degraded while readiness serves although the overall status is warning or critical, and
	// x-envoy-immediate-health-check-fail during a drain; see servicer.Report.EnvoyHeader. Default: no header.
	Envoy bool
	// Logger hears of defects of the handler itself. Default: discard.
	Logger *slog.Logger
}

// Handler is the HTTP door. It answers GET and HEAD of these paths, and of no others:
//
//	/health            200 while the overall status is healthy or warning and the process is not draining, else 503.
//	                   JSON; application/health+json, text/html or an event stream when the Accept header or
//	                   ?format=json|health|html asks for it. ?strict makes a warning fail.
//	/health/<check>    the same for one check or metric, JSON; 404 if there is none of that name
//	/health/badge.svg  an image of the overall status, always 200
//	/live /livez       200 "ok" while the name liveness serves, else 503 and the failing names, one a line
//	/ready /readyz     the same for readiness
//	/startup /startupz the same for startup; latched: once passed, it never fails again
//	/metrics           HandlerConfig.Metrics, whatever the verdict
//
// /live, /ready and /startup list every check with ?verbose and leave one out with ?exclude=name, which may be repeated.
//
// A Handler starts no goroutine and may be used concurrently and behind any middleware. Create it with NewHandler.
type Handler struct {
	health  servicer.ReportSource
	details servicer.Details
	metrics http.Handler
	envoy   bool
	log     *slog.Logger
	page    *page
	history *history
	streams chan struct{}
	// current is the newest edition that somebody asked for. Readers replace it when the source has another one; a
	// late writer may put an older edition back, which the next reader sees by the pointer and replaces again.
	current atomic.Pointer[rendered]
}

// NewHandler returns a Handler, or an error that names every mistake in the configuration.
func NewHandler(config HandlerConfig) (*Handler, error) {
	if config.Source == nil {
		return nil, errors.New("probes: HandlerConfig.Health is required")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.EventStreams == 0 {
		config.EventStreams = 64
	}
	return &Handler{
		health:  config.Source,
		details: config.Details,
		metrics: config.Metrics,
		envoy:   config.Envoy,
		log:     config.Logger,
		page:    newPage(config.Title),
		history: newHistory(),
		streams: make(chan struct{}, max(config.EventStreams, 0)),
	}, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := h.route(r.URL.Path)
	switch {
	case answer == nil:
		fail(w, r, http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, r, http.StatusMethodNotAllowed)
	case len(r.URL.RawQuery) > maxQuery:
		fail(w, r, http.StatusRequestURITooLong)
	default:
		h.setEnvoyHeader(w, r.URL.Path)
		answer(h, w, r)
	}
}

// route returns what answers a path, nil if nothing does.
func (h *Handler) route(path string) func(*Handler, http.ResponseWriter, *http.Request) {
	switch path {
	case "/health":
		return (*Handler).serveHealth
	case "/live", "/livez":
		return (*Handler).serveLive
	case "/ready", "/readyz":
		return (*Handler).serveReady
	case "/startup", "/startupz":
		return (*Handler).serveStartup
	case "/health/badge.svg":
		return (*Handler).serveBadge
	case "/metrics":
		if h.metrics == nil {
			return nil
		}
		return (*Handler).serveMetrics
	}
	if name, below := strings.CutPrefix(path, "/health/"); below && name != "" {
		return (*Handler).serveCheck
	}
	return nil
}

func (h *Handler) serveHealth(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r.URL.RawQuery)
	e := h.rendered()
	viewer := h.viewer(r)
	switch h.format(r, q) {
	case formatHealth:
		e.healthJSON(viewer, q.strict).send(w, r, passing(healthy(e.report, q.strict)))
	case formatHTML:
		h.pageOf(e, viewer).send(w, r, passing(healthy(e.report, q.strict)))
	case formatEvents:
		h.serveEvents(w, r, viewer)
	default:
		e.json(viewer).send(w, r, passing(healthy(e.report, q.strict)))
	}
}

func (h *Handler) format(r *http.Request, q query) format {
	switch q.format {
	case "json":
		return formatJSON
	case "health":
		return formatHealth
	case "html":
		return formatHTML
	default:
		return negotiate(r.Header["Accept"])
	}
}

func (h *Handler) serveLive(w http.ResponseWriter, r *http.Request) {
	h.rendered().live.serve(w, r, "livez")
}

func (h *Handler) serveReady(w http.ResponseWriter, r *http.Request) {
	h.rendered().ready.serve(w, r, "readyz")
}

func (h *Handler) serveStartup(w http.ResponseWriter, r *http.Request) {
	h.rendered().startup.serve(w, r, "startupz")
}

func (h *Handler) serveBadge(w http.ResponseWriter, r *http.Request) {
	h.rendered().badge().send(w, r, http.StatusOK)
}

func (h *Handler) serveMetrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	h.metrics.ServeHTTP(w, r)
}

func (h *Handler) serveCheck(w http.ResponseWriter, r *http.Request) {
	report := h.rendered().report
	name := strings.TrimPrefix(r.URL.Path, "/health/")
	body, status, known := checkJSON(report, name, h.viewer(r))
	if !known {
		fail(w, r, http.StatusNotFound)
		return
	}
	ok := status.Serves()
	if parseQuery(r.URL.RawQuery).strict {
		ok = status == checker.Healthy
	}
	newDocument(typeJSON, body).send(w, r, passing(ok))
}
