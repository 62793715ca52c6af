package browser_test

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

// That nothing else is asked for, and that nothing is complained of, is what every tab watches over.
func TestPageOpensForABrowser(t *testing.T) {
	t.Parallel()
	// The last one is the cache, which the server can do without.
	s, tab := newServer(t, "INVENTORY_TESTSERVICE=true", "REDIS_URL=redis://127.0.0.1:1"), newTab(t)
	if status := tab.open("http://" + s.web + "/health"); status != http.StatusOK && status != http.StatusServiceUnavailable {
		t.Errorf("the page came with status %d", status)
	}
	if kind := eval[string](tab, "document.contentType"); kind != "text/html" {
		t.Errorf("a browser got %s", kind)
	}
	tab.until(`document.getElementById("link").classList.contains("live")`)
	for _, name := range []string{"database", "external_api", "cache", "Memory usage"} {
		tab.until(has(name))
	}
	tab.until(verdict("Serving") + ` && document.querySelector("#verdict").textContent.includes("cache")`)
	tab.until(`document.title.startsWith(document.querySelector("h1").textContent)`)
	if *shots != "" { // docs/status-page.png: with calls, and a minute of checks
		s.callFor(time.Minute)
		tab.wide(1280, 1130)
		tab.shot("status-page")
	}
}

// callFor makes calls for a time.
func (s *server) callFor(d time.Duration) {
	s.t.Helper()
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	client := testpb.NewTestServiceClient(conn)
	for end := time.Now().Add(d); time.Now().Before(end); {
		if _, err := client.EmptyCall(s.t.Context(), &testpb.Empty{}); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rand.IntN(60)) * time.Millisecond)
	}
}

// A browser may keep a page that is left and show it again as it was. Chromium does not while it is being driven, so it is
// told that it did.
func TestPageGoesOnWhenFoundAgain(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, healthyReport()), newTab(t)
	tab.live(s.addr)
	tab.until(verdict("Serving"))
	eval[any](tab, `void dispatchEvent(new PageTransitionEvent("pagehide", {persisted: true}))`)
	s.publish(criticalReport())
	eval[any](tab, `void dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))`)
	tab.until(verdict("Not serving") + ` && document.getElementById("link").matches(".live")`)
}

// has is whether a check of that name is on the page.
func has(name string) string {
	return `[...document.querySelectorAll(".rows h3, .meters b")].some((h) => h.firstChild.data.trim() === "` + name + `")`
}
