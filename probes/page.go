package probes

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// page renders the status page. It never changes.
type page struct {
	title    string
	template *template.Template
	policy   []string
}

// newPage parses the embedded page, which a test keeps correct. The page loads nothing: its style and its script stand
// in it, and the browser is told their hashes and to run nothing else.
func newPage(title string) *page {
	if title == "" {
		title = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	functions := template.FuncMap{
		"css":   func() template.CSS { return template.CSS(pageCSS) },
		"js":    func() template.JS { return template.JS(pageJS) },
		"icon":  icon,
		"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"stamp": stamp,
		"span":  span,
		"names": enumerated,
	}
	return &page{
		title:    title,
		template: template.Must(template.New("page").Funcs(functions).Parse(pageHTML)),
		policy: []string{"default-src 'none'; style-src " + hashOf(pageCSS) + "; script-src " + hashOf(pageJS) +
			"; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// icon is the page's mark in the browser's tab, in the colour of the verdict.
func icon(severity string) template.URL {
	color := map[string]string{"healthy": "16a34a", "warning": "d97706", "critical": "dc2626"}[severity]
	if color == "" {
		color = "6b7280"
	}
	return template.URL("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" +
		"%3Ccircle cx='8' cy='8' r='7' fill='%23" + color + "'/%3E%3C/svg%3E")
}

// parts are the pieces of the page that change, by the id of the element that they fill, and the order of the rows.
type parts struct {
	Revision uint64            `json:"revision"`
	Now      string            `json:"now"`
	Mood     string            `json:"mood"`
	Icon     template.URL      `json:"icon"`
	Title    string            `json:"title"`
	Say      string            `json:"say"`
	Rows     []string          `json:"rows"`
	HTML     map[string]string `json:"html"`
}

type lazyParts struct {
	once  sync.Once
	parts *parts
}

// sections are the templates that fill elements of the same id.
func sections() []string {
	return []string{"verdict", "probes", "maintenance", "requests", "resources", "breakers", "names", "transitions", "foot"}
}

// pageOf returns the whole page for an audience.
func (h *Handler) pageOf(e *rendered, a viewer) *document {
	return e.html[a].get(func() *document {
		h.history.observe(e.report)
		var b bytes.Buffer
		if err := h.page.template.Execute(&b, newView(h.page.title, e, h.history, a)); err != nil {
			h.logError("the status page could not be rendered", err)
		}
		doc := newDocument(typeHTML, b.Bytes())
		doc.policy, doc.referrer = h.page.policy, []string{"no-referrer"}
		return doc
	})
}

// partsOf returns the pieces of the page for an audience.
func (h *Handler) partsOf(e *rendered, a viewer) *parts {
	lazy := &e.parts[a]
	lazy.once.Do(func() {
		h.history.observe(e.report)
		v := newView(h.page.title, e, h.history, a)
		p := &parts{
			Revision: v.Revision, Now: stamp(v.Now), Mood: v.Mood, Icon: icon(v.Mood), Title: v.Verdict + " · " + v.Title,
			Say: v.Verdict + ". " + v.Sentence, HTML: make(map[string]string, len(v.Rows)+len(sections())),
		}
		for _, name := range sections() {
			p.HTML[name] = h.piece(name, v)
		}
		for i := range v.Rows {
			p.Rows = append(p.Rows, v.Rows[i].ID)
			p.HTML[v.Rows[i].ID] = h.piece("row", &v.Rows[i])
		}
		lazy.parts = p
	})
	return lazy.parts
}

func (h *Handler) piece(name string, data any) string {
	var b strings.Builder
	if err := h.page.template.ExecuteTemplate(&b, name, data); err != nil {
		h.logError("a part of the status page could not be rendered", err)
	}
	return b.String()
}

// changed returns the pieces of p that are not in old, which may be nil.
func (p *parts) changed(old *parts) *parts {
	if old == nil {
		return p
	}
	fresh := *p
	fresh.HTML = make(map[string]string)
	for id, html := range p.HTML {
		if old.HTML[id] != html {
			fresh.HTML[id] = html
		}
	}
	return &fresh
}
