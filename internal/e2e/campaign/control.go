package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// The server's environment variables for its control.
const (
	controlVariable = "CAMPAIGN_CONTROL" // the path of a Unix socket
	hideVariable    = "CAMPAIGN_HIDE"    // not empty: hide the names of checks
)

// controlSource is added to the server that is tested.
//
//go:embed control.go.txt
var controlSource []byte

// overlayFlags returns the build flags for a server that can be controlled, with a clock that can be set if that is
// wanted. The sources lie in folder. As long as that is the same one, the go command remembers what it has built.
func overlayFlags(ctx context.Context, folder string, clock bool) ([]string, error) {
	overlay := map[string]string{}
	err := errors.Join(os.MkdirAll(folder, 0o755), overlayControl(folder, overlay))
	if clock && err == nil {
		err = overlayClock(ctx, folder, overlay)
	}
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	list := filepath.Join(folder, "overlay.json")
	return []string{"-overlay", list}, os.WriteFile(list, text, 0o600)
}

// overlayControl adds the control to an overlay: a file of its own, and two lines of main.go.
func overlayControl(folder string, overlay map[string]string) error {
	examples, err := rig.Examples()
	if err != nil {
		return err
	}
	original := filepath.Join(examples, "server", "main.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return err
	}
	for before, added := range map[string]string{
		"\thealth, err := vitals.New(cfg.health)\n":                       "\tcontrol := prepareControl(&cfg.health)\n",
		"\tbeside, dismiss := context.WithCancel(context.Background())\n": "\tcontrol.serve(health)\n",
	} {
		if bytes.Count(source, []byte(before)) != 1 {
			return fmt.Errorf("%s does not have the line %q once", original, strings.TrimSpace(before))
		}
		source = bytes.Replace(source, []byte(before), []byte(added+before), 1)
	}
	overlay[original] = filepath.Join(folder, "main.go")
	overlay[filepath.Join(filepath.Dir(original), "campaign_control.go")] = filepath.Join(folder, "control.go")
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "main.go"), source, 0o600),
		os.WriteFile(filepath.Join(folder, "control.go"), controlSource, 0o600))
}

// control calls methods of the server's health as its application would.
type control struct {
	path   string
	client *http.Client
}

func newControl(folder string) *control {
	c := &control{path: filepath.Join(folder, "control")}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", c.path)
	}
	c.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}, Timeout: endpoints.Timeout}
	return c
}

// env are the variables for the next start of the server. The socket of one that was killed is removed.
func (c *control) env(hide bool) []string {
	_ = os.Remove(c.path) // There may be none.
	env := []string{controlVariable + "=" + c.path}
	if hide {
		env = append(env, hideVariable+"=yes")
	}
	return env
}

// do calls a method and returns its error.
func (c *control) do(ctx context.Context, method, name, value string) error {
	form := url.Values{"name": {name}, "value": {value}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control/"+method, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %q %q: %s", method, name, value, bytes.TrimSpace(text))
	}
	return err
}
