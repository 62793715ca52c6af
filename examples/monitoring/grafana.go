package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/probes/promvitals"
)

// dashboard is what differs between our dashboards. Its panels are laid out in rows, in their order.
type dashboard struct {
	uid, title, description string
	// many allows several values of job and instance, or all.
	many bool
	rows []row
}

type row struct {
	title  string
	panels []panel
}

// panel shows queries. Its description is completed by the help of the metrics that it shows.
type panel struct {
	title, description string
	// kind is Grafana's name of the visualisation, default timeseries; unit is Grafana's name of the unit.
	kind, unit string
	// width in twenty-fourths of the page, default 8.
	width   int
	queries []query
	// empty is what the panel says in place of "No data" where nothing to show is as it should be.
	empty string
	// colours of a state, by the value's text.
	states map[string]state
}

type query struct {
	// expr in PromQL. {SEL} stands for the matchers of the chosen jobs and instances, RATE for the interval of a rate.
	expr, legend string
	// instant queries ask for now alone.
	instant bool
}

// state is how a value is shown.
type state struct{ text, colour string }

// The heights of panels in Grafana's units.
const (
	statHeight  = 4
	graphHeight = 8
)

type object = map[string]any

var source = object{"type": "prometheus", "uid": "${datasource}"}

// json returns the dashboard as Grafana imports it.
func (d dashboard) json() ([]byte, error) {
	var panels []object
	id, y := 0, 0
	for _, r := range d.rows {
		id++
		panels = append(panels, object{
			"id": id, "type": "row", "title": r.title, "collapsed": false, "panels": []object{}, "gridPos": object{"x": 0, "y": y, "w": 24, "h": 1},
		})
		y++
		x, height := 0, 0
		for _, p := range r.panels {
			width, own := p.size()
			if x+width > 24 {
				x, y, height = 0, y+height, 0
			}
			id++
			panels = append(panels, p.object(id, object{"x": x, "y": y, "w": width, "h": own}))
			x, height = x+width, max(height, own)
		}
		y += height
	}
	text, err := json.MarshalIndent(object{
		"uid": d.uid, "title": d.title, "description": d.description, "tags": []string{"grpc", "health", "vitals"},
		"schemaVersion": 39, "version": 1, "editable": true, "graphTooltip": 1, "timezone": "browser", "refresh": "30s",
		"time": object{"from": "now-1h", "to": "now"}, "templating": object{"list": d.variables()}, "panels": panels,
		"annotations": object{"list": []object{}}, "links": []object{{"type": "dashboards", "title": "vitals", "tags": []string{"vitals"}, "keepTime": true, "includeVars": true}},
	}, "", "  ")
	return append(text, '\n'), err
}

// variables are the choices at the top: where the data is, which jobs, which instances.
func (d dashboard) variables() []object {
	choice := func(name, label, query string) object {
		v := object{
			"name": name, "label": label, "type": "query", "datasource": source, "refresh": 2, "sort": 1,
			"query": object{"query": query, "refId": name}, "definition": query, "multi": d.many, "includeAll": d.many,
		}
		if d.many {
			v["allValue"], v["current"] = ".+", object{"text": "All", "value": "$__all"}
		}
		return v
	}
	return []object{
		{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
		choice("job", "Job", "label_values(health_info, job)"),
		choice("instance", "Instance", `label_values(health_info{job=~"$job"}, instance)`),
	}
}

func (p panel) size() (width, height int) {
	width, height = p.width, graphHeight
	if width == 0 {
		width = 8
	}
	if p.kind == "stat" {
		height = statHeight
	}
	return width, height
}

func (p panel) object(id int, place object) object {
	kind := p.kind
	if kind == "" {
		kind = "timeseries"
	}
	var targets []object
	for i, q := range p.queries {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": source, "expr": q.promql(), "legendFormat": q.legend, "instant": q.instant, "range": !q.instant,
		})
	}
	defaults := object{"unit": p.unit, "mappings": p.mappings()}
	if p.empty != "" {
		defaults["noValue"] = p.empty
	}
	if kind == "timeseries" {
		defaults["min"] = 0
	}
	return object{
		"id": id, "type": kind, "title": p.title, "description": p.text(), "datasource": source, "gridPos": place, "targets": targets,
		"fieldConfig": object{"defaults": defaults, "overrides": []object{}}, "options": object{},
	}
}

func (p panel) mappings() []object {
	if len(p.states) == 0 {
		return []object{}
	}
	options := object{}
	for value, s := range p.states {
		options[value] = object{"text": s.text, "color": s.colour}
	}
	return []object{{"type": "value", "options": options}}
}

// promql fills in what stands for itself in expr.
func (q query) promql() string {
	const chosen = `job=~"$job",instance=~"$instance"`
	expr := strings.ReplaceAll(q.expr, "{SEL", "{"+chosen)
	return strings.ReplaceAll(expr, "RATE", "$__rate_interval")
}

// orNone is expr, or 0 for a series whose label says "none" where expr has no series.
func orNone(expr, label string) string {
	return expr + ` or on () label_replace(vector(0), "` + label + `", "none", "", "")`
}

var metricName = regexp.MustCompile(`\b(health|grpc_server|grpc_client)_[a-z0-9_]+`)

// text completes the description by the exporter's help texts.
func (p panel) text() string {
	var text strings.Builder
	text.WriteString(p.description)
	var told []string
	for _, q := range p.queries {
		for _, name := range metricName.FindAllString(q.expr, -1) {
			for _, f := range promvitals.Families() {
				family, isHistogram := f.GetName(), f.GetType().String() == "HISTOGRAM"
				if (name == family || isHistogram && strings.HasPrefix(name, family+"_")) && !slices.Contains(told, family) {
					told = append(told, family)
					fmt.Fprintf(&text, "\n\n`%s`: %s", family, f.GetHelp())
				}
			}
		}
	}
	return text.String()
}
