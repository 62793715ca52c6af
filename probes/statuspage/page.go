// Package statuspage renders a servicer.Report as an HTML page with charts, kept up to date by an event stream, and as a
// badge. probes.Handler serves it at /health; a Page can also be mounted by itself.
//
// A Page runs no check. It is rendered once per report and viewer. Raw errors are shown only to callers that
// servicer.Details allows.
package statuspage

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// policy allows what the page loads: its style, script and icon, which are files below its own path, so that a stricter policy
// of a proxy, default-src 'self', allows them too. The icon of a lost connection is in the script.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Config configures a Page. The zero value of every optional field is the default.
type Config struct {
	// Source of the reports. Required.
	Source servicer.ReportSource
	// Details allows raw errors, such as those of a dependency, to some callers. Default: none.
	Details servicer.Details
	// Title heads the page and the browser's tab. Default: the program's name.
	Title string
}

// Page is the status page. It is safe for concurrent use. Create it with New.
type Page struct {
	cfg      Config
	template *template.Template
	history  *history
	streams  chan struct{} // one element per open event stream
	cache    response.Cache[rendered]
}

// rendered is the page of one report.
type rendered struct {
	response.Rendering

	html  [response.Viewers]response.Lazy[*response.Document]
	parts [response.Viewers]response.Lazy[*parts]
	badge response.Lazy[*response.Document]
}

// New returns a Page.
func New(cfg Config) (*Page, error) {
	if cfg.Source == nil {
		return nil, errors.New("statuspage: Config.Source is required")
	}
	if cfg.Title == "" {
		cfg.Title = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	return &Page{
		cfg:      cfg,
		template: newTemplate(),
		history:  &history{runs: make(map[string][]run)},
		streams:  make(chan struct{}, maxStreams),
	}, nil
}

// Run records the runs and requests that the charts show, until ctx is done, and returns nil. Without it the charts show only
// the reports for which the page was requested.
func (p *Page) Run(ctx context.Context) error {
	for report := range servicer.Changes(ctx, p.cfg.Source) {
		p.history.record(report)
	}
	return nil
}

// ServeHTTP implements http.Handler: ServeEvents if the Accept header is text/event-stream, else ServeHTML.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Accept") == typeEvents {
		p.ServeEvents(w, r)
		return
	}
	p.ServeHTML(w, r)
}

// ServeHTML serves the page: 200 while the overall status is healthy or warning and the process is not draining, else 503.
// The parameter strict makes a warning fail. The page loads its style, script and icon from its own path, by the parameter
// file. It can be served below any prefix: its links are relative, to the paths of a probes.Handler beside it.
func (p *Page) ServeHTML(w http.ResponseWriter, r *http.Request) {
	var query url.Values
	if r.URL.RawQuery != "" {
		query = r.URL.Query()
	}
	if query.Has("file") {
		serveFile(w, r, query.Get("file"))
		return
	}
	d, viewer := p.rendered(), response.ViewerOf(p.cfg.Details, r)
	doc := d.html[viewer].Get(func() *response.Document {
		return response.NewPage(policy, p.execute("page", newView(p, d.Rendering, viewer)))
	})
	doc.Send(w, r, response.Status(response.Healthy(d.Report, response.Switch(query, "strict"))))
}

func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	var doc *response.Document
	switch severity, isIcon := strings.CutSuffix(name, ".svg"); {
	case name == "page.css":
		doc = response.New("text/css; charset=utf-8", []byte(pageCSS))
	case name == "page.js":
		doc = response.New("text/javascript; charset=utf-8", []byte(pageJS))
	case isIcon:
		doc = response.New("image/svg+xml", iconSVG(severity))
	default:
		response.SendStatus(w, r, http.StatusNotFound)
		return
	}
	doc.Send(w, r, http.StatusOK)
}

// ServeBadge serves an SVG image of the overall status, always with 200.
func (p *Page) ServeBadge(w http.ResponseWriter, r *http.Request) {
	d := p.rendered()
	doc := d.badge.Get(func() *response.Document { return response.New("image/svg+xml", badgeSVG(d.Report)) })
	doc.Send(w, r, http.StatusOK)
}

func (p *Page) rendered() *rendered {
	return p.cache.Get(p.cfg.Source, func(r response.Rendering) *rendered { return &rendered{Rendering: r} })
}

// execute returns the output of a template. Errors are bugs in it and replace the output.
func (p *Page) execute(name string, data any) []byte {
	var b bytes.Buffer
	if err := p.template.ExecuteTemplate(&b, name, data); err != nil {
		return []byte(template.HTMLEscapeString(err.Error()))
	}
	return b.Bytes()
}
