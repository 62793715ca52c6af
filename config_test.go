package vitals_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/servicer"
)

func TestConfigurationAtItsEndpoint(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "override.json")
	for policy, shown := range map[servicer.DetailsPolicy]bool{servicer.DetailsNever: false, servicer.DetailsAlways: true} {
		w := serve(t, func(cfg *vitals.Config) {
			cfg.Prometheus, cfg.OverrideFile, cfg.Details.Policy = true, path, policy
		})
		hash := w.Report().ConfigHash
		w.shows(t, "/metrics", `health_config_info{hash="`+hash+`"} 1`)
		w.shows(t, "/health/config.json", `{"hash":"`+hash+`"`)
		code, body := w.get(t, "/health/config.json")
		if got := strings.Contains(body, `{"name":"Prometheus","value":"true","origin":"code"}`); got != shown || code != http.StatusOK {
			t.Errorf("%v: %d %s", policy, code, body)
		}
		if err := os.WriteFile(path, []byte(`{"reason": "r", "until": "2100-01-01T00:00:00Z", "optional": ["database"]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		w.shows(t, "/metrics", "\nhealth_override 1\n", `health_config_info{hash="`+hash+`"} 1`)
		_, body = w.get(t, "/health/config.json")
		if got := strings.Contains(body, `{"name":"optional","value":"database","origin":"override"}`); got != shown {
			t.Errorf("%v: %s", policy, body)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		w.end(t)
	}
}

func TestConfigHashDiffersByValueOnly(t *testing.T) {
	hash := func(cfg vitals.Config) string {
		h, err := vitals.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return h.Report().ConfigHash
	}
	cfg, err := vitals.ConfigFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	cfg.FilePath, cfg.HTTPAddr = "", ""
	first := hash(cfg)
	cfg.CheckInterval = 0 // the default, again
	if again := hash(cfg); again != first || len(first) != 12 {
		t.Errorf("%q and %q for the same values", first, again)
	}
	cfg.CheckInterval = time.Minute
	if hash(cfg) == first {
		t.Error("the same hash for another value")
	}
}
