package shapes_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/vitals-go/vitals"
)

// mounted serves the HTTP endpoints below a prefix.
var mounted = map[string]func(*vitals.Health) http.Handler{
	"net/http": func(health *vitals.Health) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/ops/", http.StripPrefix("/ops", health.Handler()))
		return mux
	},
	"chi": func(health *vitals.Health) http.Handler {
		r := chi.NewRouter()
		r.Mount("/ops", http.StripPrefix("/ops", health.Handler()))
		return r
	},
}

func TestEndpointsBelowAPrefix(t *testing.T) {
	t.Parallel()
	for name, mount := range mounted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			health, err := vitals.New(vitals.Config{})
			if err != nil {
				t.Fatal(err)
			}
			web := httptest.NewServer(mount(health))
			defer web.Close()
			for _, path := range []string{"/ops", "/ops/", "/ops/health", "/ops/live", "/ops/health?file=page.css"} {
				resp, err := web.Client().Get(web.URL + path)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK && !strings.Contains(string(body), "overall_status") {
					t.Errorf("%s leads to %s with %s: %s", path, resp.Request.URL.Path, resp.Status, body)
				}
			}
		})
	}
}
