package browser_test

import (
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

func TestPhoneShowsEverything(t *testing.T) {
	t.Parallel()
	for name, report := range states {
		t.Run(name, func(t *testing.T) {
			s, tab := newScript(t, report()), newTab(t)
			tab.live(s.addr)
			for _, width := range []int64{360, 320} {
				tab.wide(width, 740)
				tab.shot(name + "-" + strconv.FormatInt(width, 10))
				eval[any](tab, unfold)
				tab.judge(overflow, strconv.FormatInt(width, 10)+" pixels")
			}
		})
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
