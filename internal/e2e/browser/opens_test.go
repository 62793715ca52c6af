package browser_test

import (
	"net/http"
	"testing"
)

// That nothing else is asked for, and that nothing is complained of, is what every tab watches over.
func TestPageOpensForABrowser(t *testing.T) {
	t.Parallel()
	s, tab := newServer(t), newTab(t)
	if status := tab.open("http://" + s.web + "/health"); status != http.StatusOK && status != http.StatusServiceUnavailable {
		t.Errorf("the page came with status %d", status)
	}
	if kind := eval[string](tab, "document.contentType"); kind != "text/html" {
		t.Errorf("a browser got %s", kind)
	}
	tab.until(`document.getElementById("link").classList.contains("live")`)
	for _, name := range []string{"database", "external_api", "memory_usage"} {
		tab.until(has(name))
	}
	tab.until(`document.title.startsWith(document.querySelector("h1").textContent + " · ")`)
	tab.shot("server")
}

// A browser may keep a page that is left and show it again as it was. Chromium does not while it is being driven, so it is
// told that it did.
func TestPageGoesOnWhenFoundAgain(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, healthyReport()), newTab(t)
	tab.live(s.addr)
	tab.until(verdict("healthy"))
	eval[any](tab, `void dispatchEvent(new PageTransitionEvent("pagehide", {persisted: true}))`)
	s.publish(criticalReport())
	eval[any](tab, `void dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))`)
	tab.until(verdict("critical") + ` && document.getElementById("link").matches(".live")`)
}

// has is whether a check of that name is on the page.
func has(name string) string {
	return `[...document.querySelectorAll("#rows h3")].some((h) => h.firstChild.data.trim() === "` + name + `")`
}
