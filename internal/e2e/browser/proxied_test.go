package browser_test

import (
	_ "embed"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

//go:embed nginx.conf
var nginxConf string

// newNginx starts an nginx before a server, which serves it below /ops/ with a policy, and returns its address.
func newNginx(t *testing.T, server, policy string) string {
	t.Helper()
	path := "/usr/sbin/nginx" // not in everybody's PATH
	if paths := testdeps.Installed("nginx"); len(paths) > 0 {
		path = paths[0]
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("nginx is not installed; .ci/install installs it")
	}
	folder, addr := t.TempDir(), testdeps.Addr(testdeps.Port(t))
	values := map[string]string{"FOLDER": folder, "LISTEN": addr, "SERVER": server, "POLICY": policy}
	conf := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(conf, []byte(os.Expand(nginxConf, func(name string) string { return values[name] })), 0o600); err != nil {
		t.Fatal(err)
	}
	testdeps.Start(t, exec.Command(path, "-p", folder, "-c", conf, "-e", "stderr"))
	testdeps.Eventually(t, patience, func() error {
		resp, err := http.Get("http://" + addr)
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
	return addr
}

const styled = `getComputedStyle(document.querySelector(".rows")).borderRadius !== "0px"`

func TestPageBehindAProxyWithAPrefixAndAStrictPolicy(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, healthyReport()), newTab(t)
	addr := newNginx(t, s.addr, "default-src 'self'; frame-ancestors 'self' http://127.0.0.1:*")
	tab.open("http://" + addr + "/ops/")
	tab.until(`location.pathname === "/ops/health"`)
	tab.until(styled + ` && document.getElementById("link").matches(".live") && !document.getElementById("still").checkVisibility()`)
	s.publish(criticalReport())
	tab.until(verdict("Not serving"))
	links := eval[[]string](tab, `[...document.querySelectorAll("a[href]:not(.skip)")].map((a) => a.href)`)
	if len(links) < 6 {
		t.Errorf("the page has the links %v, want at least 6", links)
	}
	for _, link := range links {
		resp, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s leads to %s", link, resp.Status)
		}
	}

	// In the page of a portal that the policy allows.
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><iframe width="800" height="600" src="http://` + addr + `/ops/health"></iframe>`))
	}))
	t.Cleanup(portal.Close)
	tab.frames(addr)
	tab.open(portal.URL)
	tab.until(`window.frames.length === 1 && document.querySelector("iframe").contentDocument === null`) // of another origin: it was loaded
}

func TestPageSaysThatItsScriptDoesNotRun(t *testing.T) {
	t.Parallel()
	s, tab := newScript(t, healthyReport()), newTab(t)
	tab.pardon("script-src")
	tab.open("http://" + newNginx(t, s.addr, "default-src 'self'; script-src 'none'") + "/ops/health")
	tab.until(styled + ` && document.getElementById("still").checkVisibility({visibilityProperty: true})`)
	tab.shot("still")
}
