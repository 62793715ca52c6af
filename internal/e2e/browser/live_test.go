package browser_test

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

// first is whether a check stands at the head of all, with a status.
func first(name, status string) string {
	return `document.querySelector("#rows > li h3")?.firstChild.data.trim() === "` + name + `" &&
		document.querySelector("#rows > li .why b").textContent === "` + status + `"`
}

const sinceJudged = `document.querySelector("#foot time").textContent`

func verdict(word string) string {
	return `document.querySelector("h1").textContent === "` + word + `"`
}

func TestFailureComesAndGoesWithoutReload(t *testing.T) {
	t.Parallel()
	s, tab := newShop(t, "accounts", "billing", "search"), newTab(t)
	tab.live(s.addr)
	tab.until(verdict("Serving"))
	tab.until(first("accounts", "healthy"))
	eval[bool](tab, "window.loadedOnce = true")

	s.breaks("search", true)
	tab.until(first("search", "critical"))
	tab.until(verdict("Not serving") + ` && document.documentElement.matches(".m-critical") && document.title === "Not serving · shop"`)
	tab.until(`document.querySelector("[role=status]").textContent.includes("search")`)
	tab.until(`document.querySelector("#rows > li pre")?.textContent === "the test has broken it"`)
	tab.until(`document.querySelector(".probe[href^=ready]").matches(".critical")`)

	s.breaks("search", false)
	tab.until(verdict("Serving"))
	tab.until(first("accounts", "healthy"))
	tab.until(`document.querySelector(".transitions").textContent.includes("check/search")`)
	if !eval[bool](tab, "window.loadedOnce === true") {
		t.Error("the page was loaded again")
	}
}

func TestWorstStandsFirst(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, criticalReport()), newTab(t)
	const order = `[...document.querySelectorAll("#rows .why b")].map((b) => b.textContent).join(" ")`
	const want = "critical unknown warning healthy"
	tab.live(s.addr)
	if got := eval[string](tab, order); got != want {
		t.Errorf("loaded, the checks are %s; want %s", got, want)
	}
	s.publish(healthyReport())
	tab.until(verdict("Serving"))
	s.publish(criticalReport())
	tab.until(verdict("Not serving"))
	if got := eval[string](tab, order); got != want {
		t.Errorf("told, the checks are %s; want %s", got, want)
	}
}

// What is wrong with the clock of the reader's machine does not matter; what is measured is the server's.
func TestTimeGoesOn(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, healthyReport()), newTab(t)
	tab.live(s.addr)
	tab.until(`/ s ago$/.test(` + sinceJudged + `)`)
	later := healthyReport()
	later.EvaluatedAt = later.EvaluatedAt.Add(time.Minute) // However long it takes to be told.
	s.publish(later)
	tab.until(sinceJudged + ` === "just now"`)
}

func TestServerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s, tab := newServer(t), newTab(t)
	tab.live(s.web)
	eval[bool](tab, "window.loadedOnce = true")
	tab.until(`!document.querySelector("[role=alert]").checkVisibility()`)

	s.Kill()
	tab.until(`document.querySelector("[role=alert]").checkVisibility() && document.documentElement.matches(".stale")`)
	tab.until(`document.querySelector("[role=alert]").textContent.includes("Connection lost")`)
	tab.until(`document.getElementById("link").textContent === "connection lost"`)
	tab.until(`document.title.startsWith("connection lost") && document.getElementById("icon").href.includes("6b7280")`)
	tab.until(has("database")) // The last that was known is still there to be read.
	uptime, ago := eval[string](tab, `document.querySelector(".facts time").textContent`), eval[string](tab, sinceJudged)
	tab.until(sinceJudged + ` !== "` + ago + `"`)
	if now := eval[string](tab, `document.querySelector(".facts time").textContent`); now != uptime {
		t.Errorf("the uptime of a server that has gone went on from %s to %s", uptime, now)
	}
	tab.shot("lost")

	s.start()
	tab.until(`document.getElementById("link").matches(".live") && !document.documentElement.matches(".stale")`)
	tab.until(`!document.querySelector("[role=alert]").checkVisibility() && !document.title.startsWith("connection lost")`)
	tab.until(`!document.getElementById("icon").href.includes("6b7280")`)
	tab.until(has("database"))
	if !eval[bool](tab, "window.loadedOnce === true") {
		t.Error("the page was loaded again")
	}
}

func TestDrainIsShown(t *testing.T) {
	t.Parallel()
	s, tab := newServer(t), newTab(t)
	tab.live(s.web)
	eval[any](tab, `window.seen = []; void new MutationObserver(() => seen.push(
		document.querySelector("h1").textContent === "Draining" && document.documentElement.matches(".m-away") &&
		document.querySelector(".facts").textContent.includes("draining") &&
		document.querySelector(".probe[href^=ready]").matches(".critical") &&
		document.querySelector(".probe[href^=live]").matches(".healthy"),
	)).observe(document.getElementById("verdict"), {childList: true, characterData: true, subtree: true})`)
	s.Signal(syscall.SIGTERM)
	tab.until(`seen.includes(true)`) // It may be over when we look.
	if code := s.Wait(patience); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
	tab.until(`document.querySelector("[role=alert]").checkVisibility()`)
}

// What is said aloud is said when it is news, and then once.
func TestNewsIsSaidOnce(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, healthyReport()), newTab(t)
	tab.live(s.addr)
	eval[any](tab, `window.said = []; void new MutationObserver(() => said.push(document.querySelector("[role=status]").textContent))
		.observe(document.querySelector("[role=status]"), {childList: true, characterData: true, subtree: true})`)
	for _, report := range []*servicer.Report{healthyReport(), criticalReport(), criticalReport(), criticalReport()} {
		s.publish(report)
		tab.until(`document.querySelector("#foot").textContent.includes("Revision ` + strconv.FormatUint(report.Revision, 10) + `")`)
	}
	if said := eval[[]string](tab, "said"); len(said) != 1 || !strings.HasPrefix(said[0], "Not serving. held back by database; critical: database, memory_usage, request_success_rate; unknown: search") {
		t.Errorf("four editions with one piece of news were said as %q", said)
	}
}
