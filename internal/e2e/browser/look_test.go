package browser_test

import (
	"maps"
	"strconv"
	"testing"
)

func TestTextIsReadableInEveryLight(t *testing.T) {
	t.Parallel()
	for name, report := range states {
		t.Run(name, func(t *testing.T) {
			s, tab := newScript(t, report()), newTab(t)
			tab.wide(1280, 1500)
			tab.live(s.addr)
			for _, scheme := range []string{"light", "dark"} {
				tab.scheme(scheme)
				if dark := eval[bool](tab, `matchMedia("(prefers-color-scheme: dark)").matches`); dark != (scheme == "dark") {
					t.Fatalf("the browser does not prefer %s", scheme)
				}
				tab.shot(name + "-" + scheme)
				eval[any](tab, unfold)
				tab.judge(contrast, scheme)
				// The last that was known is read, too, when the connection is lost.
				eval[any](tab, `document.documentElement.classList.add("stale"); lost.hidden = false; lost.textContent = "Connection lost"`)
				tab.judge(contrast, scheme+", connection lost")
				eval[any](tab, `document.documentElement.classList.remove("stale"); lost.hidden = true`)
			}
		})
	}
}

// 320 pixels are also what a window of 1280 shows at a zoom of 400 %.
func TestEveryWindowShowsEverything(t *testing.T) {
	t.Parallel()
	reports := maps.Clone(states)
	reports["no checks"] = emptyReport
	for name, report := range reports {
		t.Run(name, func(t *testing.T) {
			r := report()
			for len(r.Transitions) > 0 && len(r.Transitions) < 64 {
				r.Transitions = append(r.Transitions, r.Transitions[0]) // As many as a report holds.
			}
			s, tab := newScript(t, r), newTab(t)
			tab.live(s.addr)
			for _, width := range []int64{1280, 360, 320} {
				where := strconv.FormatInt(width, 10)
				tab.wide(width, 740)
				tab.shot(name + "-" + where)
				tab.endsWithFooter(where)
				eval[any](tab, unfold)
				tab.judge(overflow, where+" pixels")
				tab.endsWithFooter(where + ", all open")
			}
		})
	}
}

// endsWithFooter wants nothing but a margin below the footer.
func (tab *tab) endsWithFooter(where string) {
	tab.t.Helper()
	tail := eval[float64](tab, `document.documentElement.scrollHeight - scrollY - Math.max(
		document.querySelector("footer").getBoundingClientRect().bottom, innerHeight - 40)`)
	if tail > 40 {
		tab.t.Errorf("%s: %v pixels are blank below the footer", where, tail)
	}
}

func TestPhoneBearsLongTexts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"long", "unbroken", "lines"} {
		t.Run(name, func(t *testing.T) {
			s, tab := newScript(t, wordyReport(evil[name])), newTab(t)
			tab.wide(360, 740)
			tab.live(s.addr)
			eval[any](tab, unfold)
			tab.judge(overflow, "360 pixels")
			tab.shot("phone-" + name)
		})
	}
}
