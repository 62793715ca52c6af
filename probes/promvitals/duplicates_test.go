package promvitals_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// TestRegistryOfUserAnswers200DespiteDuplicates uses a handler that, by default, responds with 500 to any inconsistency.
func TestRegistryOfUserAnswers200DespiteDuplicates(t *testing.T) {
	var groups []breaker.SnapshotSource
	for range 2 {
		g, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "upstream"}})
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, g)
	}
	checks, err := checker.New(checker.Config{Checks: []checker.Check{
		{Name: "x", Run: func(context.Context) error { return nil }},
		{Name: "cpu_usage", Run: func(context.Context) error { return nil }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	health, err := servicer.New(servicer.Config{Checker: checks, Recorder: recorder, Breakers: groups, Services: []string{"shop.v1.Orders"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, group := range groups {
		for range 5 * (1 - i) {
			_, _ = breaker.Do(t.Context(), group.(*breaker.Group).Get("db"), func(context.Context) (int, error) { return 0, errors.New("down") })
		}
		_ = group.(*breaker.Group).Get("db")
	}
	for _, check := range []checker.Check{
		{Name: "dependency_x", Kind: checker.Process},
		{Name: "breaker_upstream/db", Kind: checker.Process},
		{Name: "requests_total", Kind: checker.Process},
		{Name: "shop.v1.Orders"},
	} {
		check.Run = func(context.Context) error { return nil }
		if err := checks.Add(check); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"x", "cpu_usage", "a\xff", "a\xfe", "shop.v1.Orders", `a\xff`} {
		health.SetServingStatus(name, healthpb.HealthCheckResponse_NOT_SERVING)
	}
	for range 2 { // two servers with one service
		server := grpc.NewServer()
		healthpb.RegisterHealthServer(server, health)
		recorder.Register(server)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector(t, promvitals.Config{Source: health, Recorder: recorder}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- health.Run(ctx) }()
	for r := range health.Changes(t.Context()) {
		if len(r.Breakers) > 0 {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	response := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
	page := response.Body.String()
	if response.Code != 200 || strings.Count(page, `health_breaker_state{breaker="upstream/db",state="open"} 1`) != 1 {
		t.Errorf("%d: %s", response.Code, page)
	}
}

// TestTwoServersInOneRegistry labels each of two Collectors.
func TestTwoServersInOneRegistry(t *testing.T) {
	registry := prometheus.NewRegistry()
	for _, name := range []string{"main", "admin"} {
		c := collector(t, promvitals.Config{Source: staticSource{report()}, Recorder: traffic(t, map[codes.Code]int{codes.OK: 1})})
		prometheus.WrapRegistererWith(prometheus.Labels{"server": name}, registry).MustRegister(c)
	}
	response := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
	if response.Code != 200 || strings.Count(response.Body.String(), "health_info{server=") != 2 {
		t.Errorf("%d: %s", response.Code, response.Body)
	}
}
