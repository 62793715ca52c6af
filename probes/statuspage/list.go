package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// list is a section of items; it is absent while it has none.
type list struct {
	clock

	ID, Title, Note string
	// Folded lists are opened by the reader.
	Folded bool
	Items  []item
}

// item is one line of a list; every field but Name may be empty.
type item struct {
	// Class is the status that the item's mark shows: healthy, warning, critical or unknown.
	Class       string
	Name, State string
	Since       time.Time
	Text        string
	// Last is when the item was last seen, Next when it will be tried.
	Last, Next time.Time
	// Detail is a raw error, shown on demand.
	Detail string
}

// services lists the services and groups that do not serve. Those of checks, and the names of probes, are shown elsewhere.
func services(r response.Rendering) list {
	l := list{clock: clock{r.At}, ID: "services", Title: "Not serving"}
	elsewhere := map[string]bool{"": true, checker.Liveness: true, checker.Readiness: true, checker.Startup: true}
	for _, check := range r.Checks {
		elsewhere[check.Name] = true
	}
	for i := range r.Names {
		if name := &r.Names[i]; !serves(name) && !elsewhere[name.Name] {
			l.Items = append(l.Items, itemOf(name))
		}
	}
	if n := len(l.Items); n > maxServices {
		l.Items, l.Note = l.Items[:maxServices], fmt.Sprintf("%d of %d services", maxServices, n)
	}
	return l
}

// shadow lists the names that what is in shadow would keep from serving.
func shadow(r response.Rendering) list {
	l := list{clock: clock{r.At}, ID: "shadow", Title: "Would not serve"}
	for i := range r.Shadow[:min(len(r.Shadow), maxServices)] {
		made := itemOf(&r.Shadow[i])
		made.Class, made.State = checker.Warning.String(), "shadow"
		l.Items = append(l.Items, made)
	}
	if n := len(r.Shadow); n > maxServices {
		l.Note = fmt.Sprintf("%d of %d names", maxServices, n)
	}
	return l
}

// maxServices bounds the names that are listed there; reference lists have all.
const maxServices = 20

// names lists all names of grpc.health.v1.
func names(r response.Rendering) list {
	l := list{clock: clock{r.At}, ID: "names", Title: "gRPC names", Folded: true}
	serving := 0
	for i := range r.Names {
		l.Items = append(l.Items, itemOf(&r.Names[i]))
		if serves(&r.Names[i]) {
			serving++
		}
	}
	l.Note = fmt.Sprintf("%d of %d serving · %d watching", serving, len(l.Items), r.WatchStreams)
	return l
}

func serves(name *servicer.ServingName) bool {
	return name.Status == healthpb.HealthCheckResponse_SERVING
}

func itemOf(name *servicer.ServingName) item {
	class := checker.Critical
	if serves(name) {
		class = checker.Healthy
	}
	return item{
		Class: class.String(), Name: cmp.Or(name.Name, "“” (the whole server)"), State: name.Status.String(), Text: causes(name.Causes),
	}
}

// probers lists the clients that request health, those that stopped or get a failure first.
func probers(r response.Rendering) list {
	l := list{clock: clock{r.At}, ID: "probers", Title: "Probers", Folded: true}
	sorted := slices.Clone(r.Probers)
	slices.SortStableFunc(sorted, func(x, y servicer.Prober) int { return strings.Compare(y.State(), x.State()) })
	notes := []string{strconv.Itoa(len(sorted))}
	for i := range sorted {
		prober := &sorted[i]
		class, state := checker.Healthy, prober.State()
		if state != proberOK {
			class = checker.Warning
			notes = append(notes, prober.Kind+" "+state)
		}
		l.Items = append(l.Items, item{
			Class: class.String(), Name: prober.Kind, State: prober.Answer, Text: proberText(prober), Last: prober.Last,
		})
	}
	l.Note = strings.Join(notes[:min(len(notes), 4)], " · ")
	return l
}

// proberOK is the state of a prober that sees what it wants to see.
const proberOK = "ok"

func proberText(p *servicer.Prober) string {
	parts := []string{p.Protocol + " " + cmp.Or(p.Name, "“”")}
	switch p.State() {
	case "stopped":
		parts = append(parts, "regular requests have stopped")
	case "unknown":
		parts = append(parts, "no such name")
	}
	if p.Open > 0 || p.Requests == 0 {
		return strings.Join(append(parts, strconv.Itoa(p.Open)+" open"), " · ")
	}
	text := plural(p.Requests, "request")
	if p.Interval > 0 {
		text += ", every " + brief(p.Interval)
	}
	return strings.Join(append(parts, text), " · ")
}

// settings lists those that are not the default, for viewers that see details. /health/config.json has all.
func settings(r response.Rendering, trusted bool) list {
	l := list{clock: clock{r.At}, ID: "settings", Title: "Configuration", Folded: true}
	for _, s := range r.Settings {
		if !trusted || s.Origin == "default" {
			continue
		}
		text := s.Origin
		if s.Variable != "" {
			text += ": " + s.Variable
		}
		l.Items = append(l.Items, item{Name: s.Name, State: s.Value, Text: text})
	}
	l.Note = fmt.Sprintf("%d of %d set · %s", len(l.Items), len(r.Settings), r.ConfigHash)
	return l
}

// breakers lists the circuit breakers, the open ones first.
func breakers(r response.Rendering, trusted bool) list {
	l := list{clock: clock{r.At}, ID: "breakers", Title: "Circuit breakers"}
	optional := map[string]bool{}
	for _, check := range r.Checks {
		optional[check.Name] = check.Optional
	}
	sorted := slices.Clone(r.Breakers)
	slices.SortStableFunc(sorted, func(x, y breaker.Snapshot) int { return cmp.Compare(y.State, x.State) })
	for i := range sorted {
		b := &sorted[i]
		made := item{
			Class: classOf(b.State, optional[b.Name]), Name: b.Name, State: b.State.String(), Since: b.Since, Text: breakerText(b, trusted), Next: b.RetryAt,
		}
		if trusted && b.State != breaker.Closed {
			made.Detail = errtext.Of(b.LastFailure)
		}
		l.Items = append(l.Items, made)
	}
	return l
}

// classOf returns the status that an open breaker means: that of an optional dependency is a warning.
func classOf(s breaker.State, optional bool) string {
	switch {
	case s == breaker.Closed:
		return checker.Healthy.String()
	case s == breaker.HalfOpen || optional:
		return checker.Warning.String()
	default:
		return checker.Critical.String()
	}
}

func breakerText(b *breaker.Snapshot, trusted bool) string {
	parts := []string{fmt.Sprintf("%s, %d failed", plural(b.Window.Successes+b.Window.Failures, "call"), b.Window.Failures)}
	if b.Calls.Rejected > 0 {
		parts = append(parts, fmt.Sprintf("%d rejected so far", b.Calls.Rejected))
	}
	switch {
	case b.Forced && trusted && b.ForcedReason != "":
		parts = append(parts, "held by an operator: "+b.ForcedReason)
	case b.Forced:
		parts = append(parts, "held by an operator")
	}
	if b.ObserveOnly {
		parts = append(parts, "observes only")
	}
	return strings.Join(parts, " · ")
}
