package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// process is the example server, as a process of its own.
type process struct {
	*testdeps.Process
	*endpoints.Endpoints

	t      *testing.T
	env    []string
	folder string
}

// startServer starts a server whose resources are never critical, so that only its dependencies decide.
func startServer(t *testing.T, env ...string) *process {
	t.Helper()
	folder := t.TempDir()
	e, err := endpoints.New(t.Context(), testdeps.Server(t), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	p := &process{t: t, Endpoints: e, folder: folder}
	p.env = e.ServerEnv(folder, append([]string{
		"INVENTORY_DB=:memory:", "PLUGIN_HEALTH_CHECK_INTERVAL=500ms", "PLUGIN_HEALTH_CHECK_TIMEOUT=1500ms", "PLUGIN_HEALTH_DRAIN_DELAY=300ms",
	}, env...)...)
	p.start()
	return p
}

// start starts the program, once more if it has ended.
func (p *process) start() {
	p.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), p.Binary)
	cmd.Dir, cmd.Env = p.folder, p.env
	p.Process = testdeps.Start(p.t, cmd)
}

// becomes waits until a name has a status.
func (p *process) becomes(name string, want healthpb.HealthCheckResponse_ServingStatus) {
	p.t.Helper()
	testdeps.Eventually(p.t, patience, func() error {
		ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Second)
		defer cancel()
		resp, err := p.Health.Check(ctx, &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
		if err != nil || resp.GetStatus() != want {
			return fmt.Errorf("%q is %v (%w), want %v", name, resp.GetStatus(), orNone(err), want)
		}
		return nil
	})
}

// get asks the HTTP door.
func (p *process) get(path string, header ...string) (code int, text string, err error) {
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.Web+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	request.Close = true
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, fmt.Sprint(resp.Header) + "\n" + string(body), err
}

// world is the server's, with a database and a cache, of which some fail. It gets no calls that could fail.
func world(failing ...string) oracle.Expected {
	w := oracle.Inventory(oracle.Database, oracle.Cache)
	w.Checks = slices.DeleteFunc(w.Checks, func(c oracle.Check) bool { return c.Name == oracle.Requests })
	for i, c := range w.Checks {
		if slices.Contains(failing, c.Name) {
			w.Checks[i].Outcome, w.Checks[i].Breaker = oracle.Failing, ""
		}
	}
	return w.Evaluate()
}

// differs compares every endpoint with what is expected.
func (p *process) differs(want oracle.Expected) error {
	c := oracle.Compare(want)
	p.Compare(p.t.Context(), c)
	return c.Err()
}
