package probers_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const patience = 30 * time.Second // The test machine may be slow; what is tested is not the time.

// server is an inventory server with a dependency that the test can break. It keeps its addresses over restarts.
type server struct {
	*testdeps.Process

	t         *testing.T
	port, web int
	prices    *dependency
	optional  string
}

// newServer starts a server whose dependencies of the names in optional are optional.
func newServer(t *testing.T, optional string) *server {
	t.Helper()
	s := &server{t: t, port: testdeps.Port(t), web: testdeps.Port(t), prices: newDependency(t), optional: optional}
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	cmd := exec.Command(testdeps.Server(s.t))
	cmd.Dir = s.t.TempDir()
	cmd.Env = []string{
		"HOME=" + cmd.Dir, "INVENTORY_DB=:memory:", "INVENTORY_TESTSERVICE=true", "EXTERNAL_API_URL=" + s.prices.url,
		"INVENTORY_ADDR=" + testdeps.Addr(s.port), "PLUGIN_HEALTH_HTTP_ADDR=" + testdeps.Addr(s.web), "PLUGIN_HEALTH_FILE_PATH=",
		"PLUGIN_HEALTH_OPTIONAL_CHECKS=" + s.optional,
		"PLUGIN_HEALTH_CHECK_INTERVAL=1", "PLUGIN_HEALTH_CHECK_TIMEOUT=1", "PLUGIN_HEALTH_DRAIN_DELAY=5",
	}
	s.Process = testdeps.Start(s.t, cmd)
}

// answers waits until a path of the HTTP door answers with a code.
func (s *server) answers(path string, want int) {
	s.t.Helper()
	testdeps.Eventually(s.t, patience, func() error {
		got, err := get(s.t.Context(), "http://"+testdeps.Addr(s.web)+path)
		if err == nil && got != want {
			err = fmt.Errorf("%s answers %d, want %d", path, got, want)
		}
		return err
	})
}

func get(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// dependency is a price service that works, fails or hangs as the test wants.
type dependency struct {
	url           string
	fails, hangs  atomic.Bool
	hanging, stop chan struct{}
}

func newDependency(t *testing.T) *dependency {
	d := &dependency{hanging: make(chan struct{}, 1), stop: make(chan struct{})}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.hangs.Load() {
			select {
			case d.hanging <- struct{}{}:
			default:
			}
			select {
			case <-r.Context().Done():
			case <-d.stop:
			}
		}
		if d.fails.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(web.Close)
	t.Cleanup(func() { close(d.stop) }) // Before Close, which waits for the handlers.
	d.url = web.URL
	return d
}

// haproxy is HAProxy before two servers, configured by haproxy.cfg.
type haproxy struct {
	t      *testing.T
	addr   string
	socket string
}

func newHAProxy(t *testing.T, one, two *server) *haproxy {
	t.Helper()
	path, err := exec.LookPath("haproxy")
	if errors.Is(err, exec.ErrNotFound) {
		path, err = exec.LookPath("/usr/sbin/haproxy") // Not in everybody's PATH.
	}
	if err != nil {
		t.Skip("HAProxy is not installed: no haproxy in the PATH or in /usr/sbin; .ci/install installs it")
	}
	folder, err := os.MkdirTemp("", "haproxy-") // A socket's path must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	h := &haproxy{t: t, addr: testdeps.Addr(testdeps.Port(t)), socket: filepath.Join(folder, "stats.sock")}
	cmd := exec.Command(path, "-db", "-f", "haproxy.cfg")
	cmd.Env = []string{
		"FOLDER=" + folder, "LISTEN=" + h.addr,
		"ONE=" + testdeps.Addr(one.port), "ONE_HEALTH=" + strconv.Itoa(one.web),
		"TWO=" + testdeps.Addr(two.port), "TWO_HEALTH=" + strconv.Itoa(two.web),
	}
	testdeps.Start(t, cmd)
	return h
}

// stats returns what HAProxy thinks of a server, UP or DOWN, and how many calls it has sent there.
func (h *haproxy) stats(server string) (status string, calls int, err error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(h.t.Context(), "unix", h.socket)
	if err != nil {
		return "", 0, err
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "show stat servers 4 -1\n"); err != nil {
		return "", 0, err
	}
	rows, err := csv.NewReader(conn).ReadAll()
	if err != nil {
		return "", 0, err
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		if row[column["svname"]] == server {
			calls, err = strconv.Atoi(row[column["stot"]])
			return row[column["status"]], calls, err
		}
	}
	return "", 0, fmt.Errorf("HAProxy knows no server %s: %q", server, rows)
}

// sees waits until HAProxy has made up its mind about a server.
func (h *haproxy) sees(server, want string) {
	h.t.Helper()
	testdeps.Eventually(h.t, patience, func() error {
		status, _, err := h.stats(server)
		if err == nil && status != want {
			err = fmt.Errorf("server %s is %s, want %s", server, status, want)
		}
		return err
	})
}
