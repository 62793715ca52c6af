package probes

import (
	"net/http"
	"sync"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

// rendered is one report with everything that has been rendered from it. Documents are made when somebody first asks
// for them and shared from then on.
type rendered struct {
	report *servicer.Report
	// at is when the documents say that they were made.
	at      time.Time
	live    probe
	ready   probe
	startup probe
	plain   [viewers]lazy
	// health is indexed by audience and then by strictness, which changes the status inside the document.
	health [viewers][2]lazy
	image  lazy
	html   [viewers]lazy
	parts  [viewers]lazyParts
}

// lazy is a document that is rendered by the first who needs it; the others wait for that one.
type lazy struct {
	once sync.Once
	doc  *document
}

func (l *lazy) get(render func() *document) *document {
	l.once.Do(func() { l.doc = render() })
	return l.doc
}

// fresh is how long documents are sent before they are made again although nothing has changed, so that uptime and
// timestamp go on.
const fresh = time.Second

// rendered returns the newest one. A source without a report is a process that has only just begun.
func (h *Handler) rendered() *rendered {
	report := h.health.Report()
	e := h.current.Load()
	if e != nil && (e.report == report || report == nil && e.report.Revision == 0) && time.Since(e.at) < fresh {
		return e
	}
	if report == nil {
		report = &servicer.Report{}
	}
	made := h.render(report)
	if e == nil || e.report.Revision <= report.Revision {
		// If another reader was faster, its edition serves as well as ours; share it.
		if !h.current.CompareAndSwap(e, made) {
			if other := h.current.Load(); other.report == report {
				return other
			}
		}
	}
	return made
}

func (h *Handler) render(report *servicer.Report) *rendered {
	return &rendered{
		report:  report,
		at:      time.Now(),
		live:    newProbe(live(report)),
		ready:   newProbe(ready(report)),
		startup: newProbe(started(report)),
	}
}

// probe is one gate with its short answer.
type probe struct {
	gate  gate
	short *document
}

func newProbe(g gate) probe {
	return probe{gate: g, short: newDocument(typeText, g.brief())}
}

func (p *probe) serve(w http.ResponseWriter, r *http.Request, name string) {
	if r.URL.RawQuery == "" {
		p.short.send(w, r, passing(p.gate.serving))
		return
	}
	q := parseQuery(r.URL.RawQuery)
	kept := p.gate.without(q.excludes)
	body := kept.brief()
	if q.verbose {
		body = p.gate.verbose(name, q)
	}
	newDocument(typeText, body).send(w, r, passing(kept.serving))
}

func (e *rendered) json(a viewer) *document {
	return e.plain[a].get(func() *document { return newDocument(typeJSON, reportJSON(e, a)) })
}

func (e *rendered) healthJSON(a viewer, strict bool) *document {
	index := 0
	if strict {
		index = 1
	}
	return e.health[a][index].get(func() *document {
		return newDocument(typeHealth, draftJSON(e, a, strict))
	})
}

func (e *rendered) badge() *document {
	return e.image.get(func() *document { return newDocument(typeSVG, badgeSVG(e.report)) })
}

// uptime is how long the process had been running when the documents were made.
func (e *rendered) uptime() time.Duration {
	if e.report.Started.IsZero() {
		return 0
	}
	return max(e.at.Sub(e.report.Started), 0)
}
