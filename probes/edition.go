package probes

import (
	"net/http"
	"sync"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

// edition is one report with everything that has been rendered from it. Documents are made when somebody first asks
// for them and shared from then on.
type edition struct {
	report *servicer.Report
	// at is when the documents say that they were made.
	at      time.Time
	live    probe
	ready   probe
	startup probe
	plain   [audiences]lazy
	// health is indexed by audience and then by strictness, which changes the status inside the document.
	health [audiences][2]lazy
	image  lazy
	html   [audiences]lazy
	parts  [audiences]lazyParts
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

// edition returns the newest one. A source without a report is a process that has only just begun.
func (h *Handler) edition() *edition {
	report := h.health.Report()
	e := h.current.Load()
	if e != nil && (e.report == report || report == nil && e.report.Seq == 0) && time.Since(e.at) < fresh {
		return e
	}
	if report == nil {
		report = &servicer.Report{}
	}
	made := h.newEdition(report)
	if e == nil || e.report.Seq <= report.Seq {
		// If another reader was faster, its edition serves as well as ours; share it.
		if !h.current.CompareAndSwap(e, made) {
			if other := h.current.Load(); other.report == report {
				return other
			}
		}
	}
	return made
}

func (h *Handler) newEdition(report *servicer.Report) *edition {
	return &edition{
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

func (e *edition) json(a audience) *document {
	return e.plain[a].get(func() *document { return newDocument(typeJSON, reportJSON(e, a)) })
}

func (e *edition) healthJSON(a audience, strict bool) *document {
	index := 0
	if strict {
		index = 1
	}
	return e.health[a][index].get(func() *document {
		return newDocument(typeHealth, draftJSON(e, a, strict))
	})
}

func (e *edition) badge() *document {
	return e.image.get(func() *document { return newDocument(typeSVG, badgeSVG(e.report)) })
}

// uptime is how long the process had been running when the documents were made.
func (e *edition) uptime() time.Duration {
	if e.report.Started.IsZero() {
		return 0
	}
	return max(e.at.Sub(e.report.Started), 0)
}
