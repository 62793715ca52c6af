package probes

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/internal/response"
)

// probe is the result of /live, /ready or /startup with its short response.
type probe struct {
	response.Gate

	name  string
	short *response.Document
}

func newProbe(name string, g response.Gate) probe {
	return probe{Gate: g, name: name, short: response.New(response.Text, brief(g))}
}

func (p *probe) serve(w http.ResponseWriter, r *http.Request) (status int) {
	if r.URL.RawQuery == "" {
		p.short.Send(w, r, response.Status(p.Serving))
		return response.Status(p.Serving)
	}
	q := parseQuery(r.URL.RawQuery)
	kept := p.without(q)
	body := brief(kept)
	if q.verbose {
		body = p.verbose(kept, q)
	}
	response.New(response.Text, body).Send(w, r, response.Status(kept.Serving))
	return response.Status(kept.Serving)
}

// without returns the result without the checks that q excludes. Causes that are no checks remain: the phase,
// maintenance and manual statuses.
func (p *probe) without(q query) response.Gate {
	kept := response.Gate{Serving: p.Serving}
	for _, cause := range p.Causes {
		if cause.Check == "" || !q.excluded[cause.Check] {
			kept.Causes = append(kept.Causes, cause)
		}
	}
	if len(p.Causes) > 0 && len(kept.Causes) == 0 {
		kept.Serving = true
	}
	return kept
}

// brief returns ok, or the failing names, one a line.
func brief(g response.Gate) []byte {
	if g.Serving {
		return []byte("ok")
	}
	if len(g.Causes) == 0 {
		return []byte("failing\n")
	}
	var b bytes.Buffer
	for _, cause := range g.Causes {
		b.WriteString(response.Subject(cause))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// verbose lists the checks that gate the probe, its other causes, unknown names in exclude, and the result.
func (p *probe) verbose(kept response.Gate, q query) []byte {
	failing, listed := make(map[string]bool), make(map[string]bool)
	for _, cause := range p.Causes {
		failing[cause.Check] = true
	}
	var b bytes.Buffer
	for _, check := range p.Checks {
		listed[check.Name] = true
		switch {
		case q.excluded[check.Name]:
			fmt.Fprintf(&b, "[ ]%s excluded\n", response.Line(check.Name))
		case !check.Status.Serves() || failing[check.Name]:
			fmt.Fprintf(&b, "[-]%s failed: %s\n", response.Line(check.Name), check.Reason)
		case check.Status == checker.Warning:
			fmt.Fprintf(&b, "[+]%s ok, with a warning: %s\n", response.Line(check.Name), check.Reason)
		default:
			fmt.Fprintf(&b, "[+]%s ok\n", response.Line(check.Name))
		}
	}
	for _, cause := range kept.Causes {
		if cause.Check == "" || !listed[cause.Check] {
			fmt.Fprintf(&b, "[-]%s\n", response.Subject(cause))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.excluded)) {
		if name == "" || !listed[name] && !failing[name] {
			fmt.Fprintf(&b, "warning: exclude=%q matches no check of this probe\n", name)
		}
	}
	verdict := "failed"
	if kept.Serving {
		verdict = "passed"
	}
	fmt.Fprintf(&b, "%s check %s\n", p.name, verdict)
	return b.Bytes()
}
