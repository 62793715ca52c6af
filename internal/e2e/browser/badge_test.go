package browser_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A badge stands in somebody else's page, such as a README.
func TestBadgeIsDrawnInAForeignPage(t *testing.T) {
	t.Parallel()
	for name, report := range states {
		t.Run(name, func(t *testing.T) {
			s, tab := newScript(t, report()), newTab(t)
			badge := "http://" + s.addr + "/health/badge.svg"
			readme := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><img src="` + badge + `">`))
			}))
			t.Cleanup(readme.Close)
			tab.allow(badge, "http://"+s.addr+"/favicon.ico")
			tab.open(readme.URL)
			tab.until(`document.images[0].complete`)
			if width := eval[int](tab, `document.images[0].naturalWidth`); width < 60 {
				t.Errorf("the image is %d wide", width)
			}
			tab.shot("badge-" + name)

			tab.open(badge)
			if said := eval[string](tab, `document.documentElement.getAttribute("aria-label")`); said != "health: "+name {
				t.Errorf("the badge says %q", said)
			}
			const fits = `[...document.querySelectorAll("text")].every((text, i) => {
				const box = document.querySelectorAll("g rect")[i].getBBox(), own = text.getBBox();
				return own.width > 10 && own.x >= box.x + 2 && own.x + own.width <= box.x + box.width - 2;
			})`
			if !eval[bool](tab, fits) {
				t.Error("a word does not fit into its field")
			}
		})
	}
}
