package probes_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/probes/healthcheck"
)

// FuzzReadFile compares the reader of health files with one that decodes nothing but a map of exact names.
func FuzzReadFile(f *testing.F) {
	now := time.Now().UTC()
	stamp := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339Nano) }
	valid := fmt.Sprintf(`{"status":"healthy","timestamp":%q,"uptime":3600.5,"healthy":true,"live":true,"ready":true,"phase":"ready","expires_at":%q,"pid":7}`,
		stamp(0), stamp(1000*time.Hour))
	for _, change := range [][2]string{
		{"", ""},
		{`"status":"healthy"`, `"status":"critical"`},
		{`"status":"healthy",`, ""},
		{"healthy", "well"},
		{`"phase":"ready"`, `"phase":"draining"`},
		{`"healthy":true`, `"healthy":"true"`},
		{`"healthy":true`, `"healthy":1`},
		{`"healthy":true`, `"healthy":null`},
		{`"healthy":true`, `"HEALTHY":true`},
		{`"healthy":true`, `"healthy":false,"Healthy":true`},
		{`"ready":true`, `"ready":true,"ready":false`},
		{`"pid":7}`, `"pid":7}}`},
		{`"pid":7}`, `"pid":7`},
		{`"pid":7`, `"pid":1e99`},
		{`3600.5`, `-1`},
		{`3600.5`, `1e400`},
		{stamp(0), stamp(time.Hour)},
		{stamp(0), "0001-01-01T00:00:00Z"},
		{stamp(1000 * time.Hour), stamp(-time.Second)},
		{stamp(1000 * time.Hour), stamp(0)},
		{`"expires_at"`, `"expires-at"`},
		{"{", "[{"},
		{"{", "\ufeff{"},
		{`{`, `{"padding":"` + strings.Repeat("p", 70_000) + `",`},
	} {
		f.Add([]byte(strings.Replace(valid, change[0], change[1], 1)))
	}
	for cut := 0; cut < len(valid); cut += 7 {
		f.Add([]byte(valid[:cut]))
	}
	path := filepath.Join(f.TempDir(), "health")
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		status, err := probes.ReadFile(path)
		if err != nil {
			if (status != probes.FileStatus{}) || !errors.Is(err, probes.ErrInvalidFile) {
				t.Errorf("%+v is returned with %v", status, err)
			}
			return
		}
		if why := doubt(body, status, time.Now()); why != "" {
			t.Errorf("believed %+v, although %s", status, why)
		}
		for purpose, serves := range map[string]bool{"live": status.Live, "ready": status.Ready, "healthy": status.Healthy} {
			var out, complaints strings.Builder
			code := healthcheck.Main([]string{"-file", path, "-for", purpose}, &out, &complaints)
			if (code == 0) != serves || code != 0 && code != 4 {
				t.Errorf("the probe for %s ends with %d, the file says %v", purpose, code, serves)
			}
		}
	})
}

// doubt returns why a file with this body must not be believed to say what status says, if there is a reason.
func doubt(body []byte, status probes.FileStatus, now time.Time) string {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil || len(body) > 64<<10 {
		return "it is no document"
	}
	for name, said := range map[string]bool{"healthy": status.Healthy, "live": status.Live, "ready": status.Ready} {
		if plain, _ := fields[name].(bool); plain != said {
			return fmt.Sprintf("it says %s %v", name, fields[name])
		}
	}
	for name, said := range map[string]time.Time{"timestamp": status.Timestamp, "expires_at": status.ExpiresAt} {
		text, _ := fields[name].(string)
		if at, err := time.Parse(time.RFC3339Nano, text); err != nil || !at.Equal(said) {
			return fmt.Sprintf("it says %s %v", name, fields[name])
		}
	}
	word, _ := fields["status"].(string)
	phase, _ := fields["phase"].(string)
	switch {
	case status.Timestamp.After(now.Add(3 * time.Second)), now.After(status.ExpiresAt):
		return "its time has not come or is over"
	case status.Healthy && word != "healthy" && word != "warning":
		return "it is healthy and " + word
	case (status.Healthy || status.Ready) && (phase == "draining" || phase == "stopped"):
		return "it is " + phase
	default:
		return ""
	}
}
