package statuspage

import (
	"html/template"

	"github.com/vitals-go/vitals/probes/internal/response"
)

// parts are the pieces of the page that change, by the ID of their element, and the order of the rows.
type parts struct {
	Revision uint64            `json:"revision"`
	Now      string            `json:"now"`
	Severity string            `json:"severity"`
	Icon     template.URL      `json:"icon"`
	Title    string            `json:"title"`
	Live     string            `json:"live"`
	Rows     []string          `json:"rows"`
	HTML     map[string]string `json:"html"`
}

// sections are the templates that fill the elements of the same ID.
func sections() []string {
	return []string{"verdict", "probes", "maintenance", "requests", "resources", "breakers", "names", "transitions", "foot"}
}

// partsOf returns the parts of the page for a viewer.
func (p *Page) partsOf(d *rendered, viewer response.Viewer) *parts {
	return d.parts[viewer].Get(func() *parts {
		v := newView(p, d.Rendering, viewer)
		made := &parts{
			Revision: v.Revision, Now: response.Time(v.Now), Severity: v.Severity, Icon: icon(v.Severity),
			Title: v.Verdict + " · " + v.Title, Live: v.Verdict + ". " + v.Sentence,
			HTML: make(map[string]string, len(v.Rows)+len(sections())),
		}
		for _, name := range sections() {
			made.HTML[name] = string(p.execute(name, v))
		}
		for i := range v.Rows {
			made.Rows = append(made.Rows, v.Rows[i].ID)
			made.HTML[v.Rows[i].ID] = string(p.execute("row", &v.Rows[i]))
		}
		return made
	})
}

// since returns p without the HTML that is the same in old, which may be nil.
func (p *parts) since(old *parts) *parts {
	if old == nil {
		return p
	}
	changed := *p
	changed.HTML = make(map[string]string)
	for id, html := range p.HTML {
		if old.HTML[id] != html {
			changed.HTML[id] = html
		}
	}
	return &changed
}
