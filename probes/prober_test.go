package probes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func TestHandlerRecordsProbers(t *testing.T) {
	t.Parallel()
	health, err := servicer.New(servicer.Config{Services: []string{"shop.v1.Orders"}})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, probes.HandlerConfig{Source: health})
	request := func(method, path, agent, accept string) {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("User-Agent", agent)
		r.Header.Set("Accept", accept)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	const kubelet, secret = "kube-probe/1.34", "hunter2"
	for _, path := range []string{"/live", "/readyz?verbose&exclude=" + secret, "/startup", "/health", "/health/shop.v1.Orders", "/health/nothing", "/", "/liveness"} {
		request(http.MethodGet, path, kubelet, "*/*")
	}
	request(http.MethodOptions, "/ready", kubelet, "*/*")
	for path, accept := range map[string]string{"/health": "text/html", "/health/badge.svg": "*/*", "/metrics": "*/*", "/favicon.ico": "*/*"} {
		request(http.MethodGet, path, "Mozilla/5.0", accept)
	}
	var got strings.Builder
	for _, p := range health.Report().Probers {
		fmt.Fprintf(&got, "%s %s %s %s\n", p.Kind, p.Name, p.Answer, p.State())
	}
	want := `kubelet / 302 ok
kubelet /health 200 ok
kubelet /health/nothing 404 unknown
kubelet /health/shop.v1.Orders 200 ok
kubelet /live 200 ok
kubelet /liveness 404 unknown
kubelet /ready 405 ok
kubelet /readyz 200 ok
kubelet /startup 200 ok
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	var doc struct {
		Probers []map[string]any
	}
	body := get(t, h, "/health").Body.Bytes()
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Probers) != 9 || doc.Probers[2]["unknown"] != true || doc.Probers[2]["requests"] != 1.0 || doc.Probers[2]["answer"] != "404" {
		t.Errorf("JSON: %v", doc.Probers)
	}
	for _, page := range []string{string(body), get(t, h, "/health?format=html").Body.String()} {
		if !strings.Contains(page, "/liveness") || strings.Contains(page, secret) {
			t.Errorf("unknown path missing, or a query shown, in %s", page)
		}
	}
}
