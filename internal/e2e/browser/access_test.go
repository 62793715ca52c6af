package browser_test

import (
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vitals-go/vitals/servicer"
)

func TestStructureLeadsTheWay(t *testing.T) {
	t.Parallel()
	for name, report := range states {
		t.Run(name, func(t *testing.T) {
			s, tab := newScript(t, report()), newTab(t)
			tab.live(s.addr)
			eval[any](tab, unfold)
			tab.judge(structure, name)
		})
	}
}

// The browser's own accessibility tree is what a screen reader reads.
func TestControlsHaveNames(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, criticalReport()), newTab(t)
	tab.live(s.addr)
	named, polite := map[string]int{}, false
	for _, node := range tell(tab, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		role := text(node.Role)
		switch role {
		case "link", "button", "DisclosureTriangle", "heading", "image", "region", "RootWebArea":
			if !node.Ignored && text(node.Name) == "" {
				t.Errorf("a %s has no name: node %d", role, node.BackendDOMNodeID)
			}
			named[role]++
		case "status":
			for _, property := range node.Properties {
				polite = polite || property.Name == "live" && text(property.Value) == "polite"
			}
		}
	}
	if !polite {
		t.Error("nothing is said politely when the page changes")
	}
	for role, least := range map[string]int{"link": 6, "DisclosureTriangle": 3, "heading": 8, "image": 5, "region": 4} {
		if named[role] < least {
			t.Errorf("there are %d of the role %s, want at least %d", named[role], role, least)
		}
	}
}

func text(value *accessibility.Value) string {
	if value == nil {
		return ""
	}
	unquoted, err := strconv.Unquote(string(value.Value))
	if err != nil {
		return string(value.Value)
	}
	return unquoted
}

// stop is where Tab has led.
type stop struct {
	Place  int
	Short  string
	Faults []string
}

func TestKeyboardReachesEverything(t *testing.T) {
	t.Parallel()
	report := criticalReport()
	for range 40 {
		report.Transitions = append(report.Transitions, report.Transitions[0]) // More than fits: it is to be scrolled.
	}
	s, tab := newScript(t, report), newTab(t)
	tab.wide(1280, 900)
	tab.live(s.addr)
	eval[any](tab, unfold)
	eval[any](tab, focus)
	total := eval[int](tab, "controls().length")
	if total < 12 {
		t.Fatalf("there are only %d controls", total)
	}
	reached := map[int]bool{}
	for range total + 5 {
		run(tab, chromedp.KeyEvent(kb.Tab))
		at := eval[stop](tab, "focused()")
		if at.Place < 0 || reached[at.Place] {
			break
		}
		reached[at.Place] = true
		for _, fault := range at.Faults {
			t.Errorf("the focus on %s %s", at.Short, fault)
		}
	}
	for i := range total {
		if !reached[i] {
			t.Errorf("Tab never reaches %s", eval[string](tab, "controls()["+strconv.Itoa(i)+"].outerHTML.slice(0, 90)"))
		}
	}
}

func TestSkipLinkLeadsToTheChecks(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, criticalReport()), newTab(t)
	tab.live(s.addr)
	run(tab, chromedp.KeyEvent(kb.Tab))
	tab.until(`document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().left >= 0`)
	run(tab, chromedp.KeyEvent(kb.Enter))
	tab.until(`document.activeElement.id === "checks"`)
	run(tab, chromedp.KeyEvent(kb.Tab))
	tab.until(`document.querySelector("#checks").contains(document.activeElement) && document.activeElement.id !== "checks"`)
}

// Whoever reads, has opened, scrolled or marked something, or stands somewhere with the keyboard, is not disturbed by
// what comes in.
func TestNewsDisturbsNobody(t *testing.T) {
	t.Parallel()
	report := criticalReport()
	for range 40 {
		report.Transitions = append(report.Transitions, report.Transitions[0])
	}
	s, tab := newScript(t, report), newTab(t)
	tab.wide(1280, 500)
	tab.live(s.addr)
	eval[any](tab, `(() => {
		document.querySelector("#rows details").open = true;
		document.querySelector(".transitions").scrollTop = 77;
		document.querySelector(".transitions").focus({preventScroll: true});
		scrollTo(0, 120);
		getSelection().selectAllChildren(document.querySelector("#rows pre"));
	})()`)
	next := criticalReport()
	next.Transitions = append(next.Transitions[:1:1], report.Transitions...)
	for _, check := range next.Checks {
		check.Failures += 3
	}
	s.publish(next)
	tab.until(`document.querySelector("#rows").textContent.includes("10 failures")`)
	for what, expression := range map[string]string{
		"what was opened is closed":                     `document.querySelector("#rows details").open`,
		"the list of transitions is scrolled elsewhere": `document.querySelector(".transitions").scrollTop === 77`,
		"the keyboard is elsewhere":                     `document.activeElement === document.querySelector(".transitions")`,
		"the page is scrolled elsewhere":                `scrollY === 120`,
		"what was marked is no longer marked":           `getSelection().toString() === document.querySelector("#rows pre").textContent`,
	} {
		if !eval[bool](tab, expression) {
			t.Error(what)
		}
	}
}

// A row that goes to the head of all takes along the keyboard that stands in it.
func TestRowMovesWithItsReader(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, warningReport()), newTab(t)
	tab.live(s.addr)
	const cause = `[...document.querySelectorAll("#rows > li")].find((li) => li.textContent.includes("cache")).querySelector("summary")`
	for _, move := range []struct {
		report func() *servicer.Report
		place  int
		word   string
	}{{criticalReport, 2, "Not serving"}, {warningReport, 0, "Serving"}} {
		eval[any](tab, cause+`.focus()`)
		s.publish(move.report())
		tab.until(`document.querySelectorAll("#rows > li")[` + strconv.Itoa(move.place) + `].textContent.includes("cache")`)
		tab.until(verdict(move.word))
		if !eval[bool](tab, `document.activeElement === `+cause) {
			t.Errorf("the keyboard has not come along to place %d", move.place)
		}
	}
}
