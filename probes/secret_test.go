package probes_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/bearer"
)

// doors are all paths in all formats.
func endpoints() []string {
	return []string{
		"/health", "/health?strict", "/health?format=health", "/health?format=health&strict", "/health?format=html",
		"/live?verbose", "/livez", "/ready", "/ready?verbose", "/readyz?verbose&exclude=x", "/startup?verbose", "/startupz", "/metrics",
		"/health/database", "/health/cache", "/health/dependency_database", "/health/breaker_database",
		"/health/badge.svg", "/health/config.json", "/health/nobody",
	}
}

// from asks as a caller from an address over TCP.
func from(t testing.TB, h http.Handler, remote, host, target string, headers ...string) string {
	t.Helper()
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, local)
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	r.RemoteAddr, r.Host = remote, host
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.String()
}

func TestErrorTextReachesOnlyTheAuthorised(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		details      servicer.Details
		remote, host string
		headers      []string
		shown        bool
	}{
		"by default":          {servicer.Details{}, "127.0.0.1:999", "localhost:8080", nil, false},
		"local":               {servicer.Details{Policy: servicer.DetailsLocal}, "127.0.0.1:999", "127.0.0.1:8080", nil, true},
		"local IPv6":          {servicer.Details{Policy: servicer.DetailsLocal}, "[::1]:999", "[::1]:8080", nil, true},
		"remote":              {servicer.Details{Policy: servicer.DetailsLocal}, "192.0.2.7:999", "127.0.0.1", nil, false},
		"through a sidecar":   {servicer.Details{Policy: servicer.DetailsLocal}, "127.0.0.1:999", "localhost", []string{"X-Forwarded-For", "192.0.2.7"}, false},
		"a name that rebinds": {servicer.Details{Policy: servicer.DetailsLocal}, "127.0.0.1:999", "evil.example:8080", nil, false},
		"always":              {servicer.Details{Policy: servicer.DetailsAlways}, "192.0.2.7:999", "shop.example", nil, true},
		"authorised":          {servicer.Details{Authorize: keyed}, "192.0.2.7:999", "shop.example", []string{"X-Key", "k"}, true},
		"not authorised":      {servicer.Details{Authorize: keyed}, "127.0.0.1:999", "localhost", nil, false},
		"a token":             {servicer.Details{Tokens: tokens(t)}, "192.0.2.7:999", "shop.example", []string{"Authorization", "Bearer " + token}, true},
		"a wrong token":       {servicer.Details{Tokens: tokens(t)}, "127.0.0.1:999", "localhost", []string{"Authorization", "Bearer x" + token}, false},
		"rebound, with a token": {
			servicer.Details{Policy: servicer.DetailsLocal, Tokens: tokens(t)}, "127.0.0.1:999", "evil.example", []string{"Authorization", "Bearer " + token}, true,
		},
		"rebound, without one": {servicer.Details{Policy: servicer.DetailsLocal, Tokens: tokens(t)}, "127.0.0.1:999", "evil.example", nil, false},
		"no certificate":       {servicer.Details{Policy: servicer.DetailsCertificate}, "127.0.0.1:999", "localhost", nil, false},
		"panicking authorizer": {servicer.Details{Authorize: panicking}, "127.0.0.1:999", "localhost", nil, false},
	} {
		for _, report := range []*servicer.Report{warningReport(), criticalReport(), startingReport()} {
			h := newHandler(t, probes.HandlerConfig{Source: newScript(report), Details: row.details})
			shown := false
			for _, endpoint := range endpoints() {
				if strings.Contains(from(t, h, row.remote, row.host, endpoint, row.headers...), secret) {
					shown = true
					if !row.shown {
						t.Errorf("%s: GET %s shows the secret", name, endpoint)
					}
				}
			}
			if shown != row.shown {
				t.Errorf("%s: shown %t, want %t", name, shown, row.shown)
			}
		}
	}
}

const token = "correct-horse-battery-staple"

func tokens(t testing.TB) *bearer.Tokens {
	t.Helper()
	tokens, err := bearer.New(bearer.Config{Tokens: []string{token}})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func keyed(_ context.Context, caller servicer.Caller) bool {
	return len(caller.Header["X-Key"]) > 0 && caller.Network == "tcp" && caller.Address != ""
}

func panicking(context.Context, servicer.Caller) bool { panic("no") }

func TestDetailsAreCachedPerViewer(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{
		Source: newScript(criticalReport()), Details: servicer.Details{Policy: servicer.DetailsLocal},
	})
	for range 3 {
		for _, endpoint := range endpoints() {
			from(t, h, "127.0.0.1:1", "localhost", endpoint)
			if strings.Contains(from(t, h, "192.0.2.7:1", "localhost", endpoint), secret) {
				t.Errorf("GET %s shows a stranger what a local caller may see", endpoint)
			}
		}
	}
}

func TestStreamAndFileShowNoSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page, stop := listen(t, newHandler(t, probes.HandlerConfig{Source: newScript(criticalReport())}))
		path := filepath.Join(t.TempDir(), "health")
		stopFile := running(t, newFile(t, probes.FileConfig{Source: newScript(criticalReport()), Path: path}))
		synctest.Wait()
		body, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(body), secret) {
			t.Errorf("file: %s, %v", body, err)
		}
		if strings.Contains(page.body.String(), secret) || page.body.Len() == 0 {
			t.Error("the event stream shows the secret, or nothing")
		}
		stopFile()
		stop()
	})
}

func TestStreamHidesDetailsOnceRightsAreWithdrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newScript(criticalReport())
		var allowed atomic.Bool
		allowed.Store(true)
		page, stop := listen(t, newHandler(t, probes.HandlerConfig{Source: source, Details: servicer.Details{
			Authorize: func(context.Context, servicer.Caller) bool { return allowed.Load() },
		}}))
		defer stop()
		synctest.Wait()
		if !strings.Contains(page.body.String(), secret) {
			t.Fatal("the authorised are shown no cause")
		}
		for _, again := range []bool{false, true} { // who was refused once has to ask again
			allowed.Store(again)
			page.body.Reset()
			report := criticalReport()
			report.Version = fmt.Sprint("v2 ", again)
			source.publish(report)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if body := page.body.String(); body == "" || strings.Contains(body, secret) {
				t.Errorf("after the rights were withdrawn: %q", body)
			}
		}
	})
}
