package probes

import (
	"github.com/vitals-go/vitals/probes/internal/response"
)

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
