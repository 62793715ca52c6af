package main

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

	"github.com/vitals-go/vitals/probes"
)

// get asks the HTTP door.
func (d *doors) get(ctx context.Context, path string) (code int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.web+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	resp, err := d.http.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// code is the answer of an HTTP probe for a name of grpc.health.v1.
func code(serves string) string {
	if serves == "SERVING" {
		return "200"
	}
	return "503"
}

func (d *doors) askWeb(ctx context.Context, q *inquiry) {
	want := map[string]string{
		"/live": "200", "/livez": "200", "/startup": "200", "/ready": code(q.want.serves("")), "/readyz": code(q.want.serves("")),
		"/health/nobody": "404",
	}
	for _, name := range q.want.present {
		want["/health/"+name] = code(q.want.serves(name))
	}
	for path, want := range want {
		got, _, err := d.get(ctx, path)
		if err != nil {
			q.failed("HTTP", err)
			return
		}
		q.equal("HTTP", path, strconv.Itoa(got), want)
	}
	d.askDocument(ctx, q)
}

// askDocument wants the JSON report to be the truth, and its code to follow from what it says.
func (d *doors) askDocument(ctx context.Context, q *inquiry) {
	got, body, err := d.get(ctx, "/health")
	var document struct {
		Overall string `json:"overall_status"`
		Metrics map[string]struct {
			Status string `json:"status"`
		} `json:"metrics"`
	}
	if err = errors.Join(err, json.Unmarshal([]byte(body), &document)); err != nil {
		q.failed("/health", err)
		return
	}
	statuses := map[string]string{}
	for name, metric := range document.Metrics {
		statuses[name] = metric.Status
	}
	judgeMetrics(q, "/health", document.Overall, statuses)
	want := "503"
	if document.Overall == "healthy" || document.Overall == "warning" {
		want = "200"
	}
	q.equal("/health", "the code", strconv.Itoa(got), want)
}

func (d *doors) askMetrics(ctx context.Context, q *inquiry) {
	code, body, err := d.get(ctx, "/metrics")
	if err != nil {
		q.failed("/metrics", err)
		return
	}
	q.equal("/metrics", "the code", strconv.Itoa(code), "200")
	series, err := parseMetrics(body)
	if err != nil {
		q.failed("/metrics", err)
		return
	}
	for _, name := range names(q.want) {
		want := map[string]string{"SERVING": "1", "NOT_SERVING": "0"}[q.want.serves(name)]
		series.equal(q, fmt.Sprintf("health_status{service=%q}", name), want)
	}
	for _, name := range q.want.present {
		for _, status := range badness {
			want := "0"
			if status == q.want.status(name) {
				want = "1"
			}
			series.equal(q, fmt.Sprintf("health_check_state{check=%q,state=%q}", name, status), want)
		}
	}
	series.equal(q, `health_phase{phase="ready"}`, "1")
}

// series are samples by name and labels, as they stand in the text format.
type series map[string]string

func parseMetrics(body string) (series, error) {
	all := series{}
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

func (s series) equal(q *inquiry, name, want string) {
	said, found := s[name]
	if !found {
		said = "absent"
	}
	q.equal("/metrics", name, said, want)
}

// askFile reads the health file as somebody does whose clock is the server's.
func (d *doors) askFile(_ context.Context, q *inquiry) {
	status, err := d.readFile(q.want.pushed)
	if q.want.full {
		q.check("file", "a file that cannot be written", fmt.Sprintf("%+v", status), "no longer believed", err != nil)
		return
	}
	if err != nil {
		q.failed("file", err)
		return
	}
	q.equal("file", "live", strconv.FormatBool(status.Live), "true")
	q.equal("file", "ready", strconv.FormatBool(status.Ready), strconv.FormatBool(q.want.ready()))
	q.check("file", "healthy", strconv.FormatBool(status.Healthy), "false while not ready", q.want.ready() || !status.Healthy)
}

func (d *doors) readFile(pushed time.Duration) (probes.FileStatus, error) {
	if pushed == 0 {
		return probes.ReadFile(d.file)
	}
	var status probes.FileStatus
	body, err := os.ReadFile(d.file)
	if err == nil {
		err = json.Unmarshal(body, &status)
	}
	if now := time.Now().Add(pushed); err == nil && (now.After(status.ExpiresAt) || status.Timestamp.After(now.Add(time.Second))) {
		err = fmt.Errorf("written at %v, and it is %v", status.Timestamp, now)
	}
	return status, err
}

// askCommand asks the server's own healthcheck command, which answers with its exit code.
func (d *doors) askCommand(ctx context.Context, q *inquiry) {
	ready, file := "0", "0"
	if !q.want.ready() {
		ready, file = "4", "4"
	}
	live := "0"
	if q.want.full {
		live, file = "4", "4"
	}
	d.command(ctx, q, ready, "-addr", d.addr)
	d.command(ctx, q, ready, "-addr", d.plain, "-service", inventoryName)
	d.command(ctx, q, "0", "-addr", d.addr, "-service", "liveness")
	d.command(ctx, q, "3", "-addr", d.addr, "-service", "nobody")
	d.command(ctx, q, ready, "-http", "http://"+d.web+"/ready")
	d.command(ctx, q, file, "-file", d.file, "-for", "ready")
	d.command(ctx, q, live, "-file", d.file, "-for", "live")
}

func (d *doors) command(ctx context.Context, q *inquiry, want string, args ...string) {
	cmd := exec.CommandContext(ctx, d.binary, append([]string{"healthcheck"}, args...)...)
	cmd.Env = append(os.Environ(), clockVariable+"="+d.clock)
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		q.failed("healthcheck command", err)
		return
	}
	said := fmt.Sprintf("%d (%s)", cmd.ProcessState.ExitCode(), strings.TrimSpace(string(output)))
	q.check("healthcheck command", strings.Join(args, " "), said, want, strconv.Itoa(cmd.ProcessState.ExitCode()) == want)
}
