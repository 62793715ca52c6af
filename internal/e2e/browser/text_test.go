package browser_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// evil are texts that would do something, if they were anything but text.
var evil = map[string]string{
	"script":    `<script>window.hit = 1</script>`,
	"image":     `<img src=x onerror="window.hit = 1"><svg onload="window.hit = 1">`,
	"attribute": `" onmouseover="window.hit = 1" onfocus='window.hit = 1' autofocus x="`,
	"closing":   `</title></style></pre></svg></script></template><script>window.hit = 1</script><!--`,
	"loading":   `<link rel=stylesheet href=//127.0.0.1:1/x><iframe src=//127.0.0.1:1/x></iframe><meta http-equiv=refresh content="0;url=//127.0.0.1:1/x">`,
	"template":  `{{.Title}} ${window.hit = 1} &lt;b&gt; &#60;i&#62;`,
	"lines":     "one\ntwo\n\n\tthree\u2028four",
	"long":      strings.Repeat("<b>10kB", 1463),
	"unbroken":  strings.Repeat("x", 10_000),
}

// places are where a text can stand, each for a reason of its own.
var places = []string{
	".row h3", ".row .what p", ".meters p", ".notice", ".list b", ".list .dim", ".transitions .text", ".transitions b", ".facts .cut",
}

// The bars of a check without a past are fewer.
const skeleton = `[...document.querySelectorAll("*:not(.spark *)")].map((el) => el.tagName).sort().join()`

func TestTextStaysText(t *testing.T) {
	t.Parallel()
	for name, text := range evil {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, tab := newScript(t, wordyReport("harmless")), newTab(t)
			tab.wide(1280, 900)
			tab.live(s.addr)
			want := eval[string](tab, skeleton)
			s.publish(wordyReport(text))
			tab.holds(text, want, "in an event")
			tab.live(s.addr)
			tab.holds(text, want, "in the page")
			tab.shot("text-" + name)
		})
	}
}

// holds waits for a text, looks for it wherever it must stand as it is, and wants it to have done nothing.
func (tab *tab) holds(text, elements, way string) {
	tab.t.Helper()
	literal, _ := json.Marshal(text)
	cause, _ := json.Marshal(text[:min(len(text), 4000)]) // A longer one is cut.
	tab.until(`document.querySelector(".row pre")?.textContent.startsWith(` + string(cause) + `)`)
	if got := eval[string](tab, skeleton); got != elements {
		tab.t.Errorf("%s: the page has the elements %s, want those that harmless text gives: %s", way, got, elements)
	}
	for _, place := range places {
		if !eval[bool](tab, `[...document.querySelectorAll("`+place+`")].some((el) => el.textContent.includes(`+string(literal)+`))`) {
			tab.t.Errorf("%s: the text does not stand in %s as it is", way, place)
		}
	}
	if eval[bool](tab, "window.hit !== undefined") {
		tab.t.Errorf("%s: the text has run", way)
	}
	tab.judge(overflow, way)
	if !eval[bool](tab, `document.getElementById("rows").getBoundingClientRect().top + scrollY < innerHeight`) {
		tab.t.Errorf("%s: the text pushes the checks out of the window", way)
	}
}

// wordyReport has a text wherever somebody can put one.
func wordyReport(text string) *servicer.Report {
	r := criticalReport()
	r.Version = text
	dependency, resource := r.Checks[1], r.Checks[len(r.Checks)-1]
	dependency.Name, dependency.Title, dependency.Message, dependency.Err = text, text, text, errors.New(text)
	resource.Title, resource.Message, resource.Measurement = text, text, checker.Measurement{Value: 1, Unit: text, Source: text}
	r.Metrics = append(r.Metrics, servicer.Metric{Name: text + " metric", Message: text, Status: checker.Warning, Detail: text})
	r.Maintenance = []servicer.Maintenance{{Name: text, Reason: text, Until: r.EvaluatedAt}}
	r.Transitions = []servicer.Transition{{At: r.EvaluatedAt, Subject: text, From: text, To: text, Text: text, Names: []string{text, text}}}
	r.Names = append(r.Names, servicer.ServingName{Name: text, Causes: []servicer.Cause{{Text: text}, {Check: text}}})
	r.Breakers = []breaker.Snapshot{{
		Name: text, State: breaker.Open, Forced: true, ForcedReason: text, LastFailure: errors.New(text), RetryAt: r.EvaluatedAt,
	}}
	r.Requests = &interceptor.Snapshot{Time: r.EvaluatedAt, Total: interceptor.Stats{Started: 1}}
	return r
}
