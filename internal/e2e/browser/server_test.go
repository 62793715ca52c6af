package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// server is the example server as a process, with a dependency that the test can break. It keeps its addresses over
// restarts.
type server struct {
	*testdeps.Process

	t        *testing.T
	grpc     string
	web      string
	prices   string
	breaking atomic.Bool
	more     []string // of the environment
}

// newServer starts a server. Nothing in it but the dependency can turn critical by itself.
func newServer(t *testing.T, more ...string) *server {
	t.Helper()
	s := &server{t: t, more: more, grpc: testdeps.Addr(testdeps.Port(t)), web: testdeps.Addr(testdeps.Port(t))}
	prices := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.breaking.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(prices.Close)
	s.prices = prices.URL
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	cmd := exec.Command(testdeps.Server(s.t))
	cmd.Dir = s.t.TempDir()
	cmd.Env = append([]string{
		"HOME=" + cmd.Dir, "INVENTORY_DB=:memory:", "EXTERNAL_API_URL=" + s.prices, "INVENTORY_ADDR=" + s.grpc,
		"PLUGIN_HEALTH_HTTP_ADDR=" + s.web, "PLUGIN_HEALTH_FILE_PATH=", "PLUGIN_HEALTH_CHECK_INTERVAL=1",
		"PLUGIN_HEALTH_CHECK_TIMEOUT=1", "PLUGIN_HEALTH_DRAIN_DELAY=2",
	}, s.more...)
	s.Process = testdeps.Start(s.t, cmd)
	testdeps.Eventually(s.t, patience, func() error {
		resp, err := http.Get("http://" + s.web + "/startup")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("/startup answers %d", resp.StatusCode)
		}
		return nil
	})
}
