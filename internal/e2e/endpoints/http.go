package endpoints

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/probes"
)

// Get makes a request and returns the status code and the body.
func (e *Endpoints) Get(ctx context.Context, path string) (code int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.Web+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	resp, err := e.HTTP.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// compareHTTP compares the status codes of the HTTP probes, and the JSON report.
func (e *Endpoints) compareHTTP(ctx context.Context, c *oracle.Comparison) {
	paths := map[string]string{"/live": "liveness", "/livez": "liveness", "/ready": "readiness", "/readyz": "readiness"}
	for name := range c.Checks {
		if !c.NamesHidden {
			paths["/health/"+name] = name
		}
	}
	want := map[string]string{"/health/nobody": "404"}
	if c.Names["startup"] != "" {
		want["/startup"] = "200" // It does not fail again, whatever the name's status.
	}
	for path, name := range paths {
		want[path] = map[string]string{"SERVING": "200", "NOT_SERVING": "503", "UNKNOWN": "503"}[c.Names[name]]
	}
	for path, want := range want {
		got, _, err := e.Get(ctx, path)
		if err != nil {
			c.Failed("HTTP", err)
			return
		}
		c.Equal("HTTP", path, strconv.Itoa(got), want)
	}
	e.compareDocument(ctx, c)
}

func (e *Endpoints) compareDocument(ctx context.Context, c *oracle.Comparison) {
	got, body, err := e.Get(ctx, "/health")
	var document struct {
		Overall string `json:"overall_status"`
		Metrics map[string]struct {
			Status string `json:"status"`
		} `json:"metrics"`
	}
	if err = errors.Join(err, json.Unmarshal([]byte(body), &document)); err != nil {
		c.Failed("/health", err)
		return
	}
	statuses := map[string]string{}
	for name, metric := range document.Metrics {
		statuses[name] = metric.Status
	}
	compareMetrics(c, "/health", document.Overall, statuses)
	code := "503"
	if document.Overall == "healthy" || document.Overall == "warning" {
		code = "200"
	}
	c.Equal("/health", "the code", strconv.Itoa(got), code)
	c.Equal("/health", "the code", strconv.Itoa(got), map[string]string{"true": "200", "false": "503"}[c.Healthy])
}

func (e *Endpoints) compareMetrics(ctx context.Context, c *oracle.Comparison) {
	code, body, err := e.Get(ctx, "/metrics")
	if err != nil {
		c.Failed("/metrics", err)
		return
	}
	c.Equal("/metrics", "the code", strconv.Itoa(code), "200")
	series, err := ParseMetrics(body)
	if err != nil {
		c.Failed("/metrics", err)
		return
	}
	for name, status := range c.Names {
		series.compare(c, fmt.Sprintf("health_status{service=%q}", name), map[string]string{"SERVING": "1", "NOT_SERVING": "0", "UNKNOWN": "0"}[status])
	}
	for name, status := range c.Checks {
		for _, state := range oracle.Statuses() {
			want := "0"
			if state == status {
				want = "1"
			}
			series.compare(c, fmt.Sprintf("health_check_state{check=%q,state=%q}", name, state), want)
		}
	}
	series.compare(c, `health_phase{phase="ready"}`, "1")
}

// Series are samples by name and labels, as they stand in the text format.
type Series map[string]string

// ParseMetrics parses a page. A series that is there twice is an error.
func ParseMetrics(body string) (Series, error) {
	all := Series{}
	lines := bufio.NewScanner(strings.NewReader(body))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("%q is no sample", line)
		}
		if _, known := all[line[:at]]; known {
			return nil, fmt.Errorf("%s is there twice", line[:at])
		}
		all[line[:at]] = line[at+1:]
	}
	return all, lines.Err()
}

func (s Series) compare(c *oracle.Comparison, name, want string) {
	got, found := s[name]
	if !found {
		got = "absent"
	}
	c.Equal("/metrics", name, got, want)
}

// compareFile reads the health file by the server's clock.
func (e *Endpoints) compareFile(c *oracle.Comparison) {
	status, err := e.ReadFile(c.ClockAhead)
	if c.FileExpired {
		c.Check("file", "a file that cannot be written", fmt.Sprintf("%+v", status), "expired", err != nil)
		return
	}
	if err != nil {
		c.Failed("file", err)
		return
	}
	c.Equal("file", "live", serving(status.Live), serves(c.Names["liveness"]))
	c.Equal("file", "ready", serving(status.Ready), serves(c.Names["readiness"]))
	c.Equal("file", "healthy", strconv.FormatBool(status.Healthy), c.Healthy)
}

// serves is a status for endpoints that know no UNKNOWN.
func serves(status string) string {
	if status == "UNKNOWN" {
		return "NOT_SERVING"
	}
	return status
}

func serving(yes bool) string {
	if yes {
		return "SERVING"
	}
	return "NOT_SERVING"
}

// ReadFile reads the health file by a clock that is ahead of ours. An expired file is an error.
func (e *Endpoints) ReadFile(ahead time.Duration) (probes.FileStatus, error) {
	if ahead == 0 {
		return probes.ReadFile(e.File)
	}
	var status probes.FileStatus
	body, err := os.ReadFile(e.File)
	if err == nil {
		err = json.Unmarshal(body, &status)
	}
	if now := time.Now().Add(ahead); err == nil && (now.After(status.ExpiresAt) || status.Timestamp.After(now.Add(time.Second))) {
		err = fmt.Errorf("written at %v, and it is %v", status.Timestamp, now)
	}
	return status, err
}

// CompareCommand compares the exit codes of the server's own healthcheck command.
func (e *Endpoints) CompareCommand(ctx context.Context, c *oracle.Comparison) {
	exit := map[string]string{"SERVING": "0", "NOT_SERVING": "4", "UNKNOWN": "4"}
	ready, live := exit[c.Names["readiness"]], exit[c.Names["liveness"]]
	fileReady, fileLive := ready, live
	if c.FileExpired {
		fileReady, fileLive = "4", "4"
	}
	e.Command(ctx, c, ready, "-addr", e.Addr)
	e.Command(ctx, c, exit[c.Names[oracle.Service]], "-addr", e.Plain, "-service", oracle.Service)
	e.Command(ctx, c, live, "-addr", e.Addr, "-service", "liveness")
	e.Command(ctx, c, "3", "-addr", e.Addr, "-service", "nobody")
	e.Command(ctx, c, ready, "-http", "http://"+e.Web+"/ready")
	e.Command(ctx, c, fileReady, "-file", e.File, "-for", "ready")
	e.Command(ctx, c, fileLive, "-file", e.File, "-for", "live")
}

// Command compares the exit code of healthcheck with these arguments.
func (e *Endpoints) Command(ctx context.Context, c *oracle.Comparison, want string, args ...string) {
	cmd := exec.CommandContext(ctx, e.Binary, append([]string{"healthcheck"}, args...)...)
	cmd.Env = append(os.Environ(), e.Env...)
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		c.Failed("healthcheck command", err)
		return
	}
	code := strconv.Itoa(cmd.ProcessState.ExitCode())
	c.Check("healthcheck command", strings.Join(args, " "), fmt.Sprintf("%s (%s)", code, strings.TrimSpace(string(output))), want, code == want)
}
