package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// TestDatabaseAway takes PostgreSQL away from a running server in two ways, and gives it back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		take, giveBack func(*testdeps.Postgres)
	}{
		"crashed": {(*testdeps.Postgres).Stop, (*testdeps.Postgres).Start},
		"frozen": {
			func(pg *testdeps.Postgres) { pg.Freeze() },
			func(pg *testdeps.Postgres) { pg.Thaw() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pg := testdeps.NewPostgres(t)
			s := start(t, "DATABASE_URL="+pg.Database())
			s.becomes("", serving)
			if err := s.put("bolt"); err != nil {
				t.Fatal(err)
			}
			tc.take(pg)
			s.becomes("database", notServing)
			s.becomes("inventory.v1.Inventory", notServing)
			s.becomes("", notServing)
			s.becomes("liveness", serving)
			s.answers("/ready", 503)
			s.answers("/live", 200)
			if _, err := s.get("bolt"); status.Code(err) != codes.Unavailable {
				t.Errorf("Get: %v, want UNAVAILABLE", err)
			}
			tc.giveBack(pg)
			s.becomes("", serving)
			s.metric("breaker_database", "closed", "healthy")
			if _, err := s.get("bolt"); err != nil {
				t.Errorf("Get afterwards: %v", err)
			}
		})
	}
}

// TestTrafficTakesTheServerOut has a check that comes once an hour, and traffic that finds out sooner.
func TestTrafficTakesTheServerOut(t *testing.T) {
	t.Parallel()
	pg := testdeps.NewPostgres(t)
	s := start(t, "DATABASE_URL="+pg.Database(), "PLUGIN_HEALTH_CHECK_INTERVAL=1h")
	s.becomes("", serving)
	pg.Stop()
	for range 10 {
		if _, err := s.get("bolt"); status.Code(err) != codes.Unavailable {
			t.Fatalf("Get: %v, want UNAVAILABLE", err)
		}
	}
	s.becomes("", notServing)
	pg.Start()
	s.becomes("", serving)
}

// TestDatabaseAwayAtTheStart starts a server before its database.
func TestDatabaseAwayAtTheStart(t *testing.T) {
	t.Parallel()
	pg := testdeps.NewPostgres(t)
	url := pg.Database()
	pg.Stop()
	s := start(t, "DATABASE_URL="+url)
	s.becomes("liveness", serving)
	s.metric("dependency_database", "unavailable", "critical")
	s.becomes("readiness", notServing)
	if err := s.put("bolt"); status.Code(err) != codes.Unavailable {
		t.Errorf("Put: %v, want UNAVAILABLE", err)
	}
	pg.Start()
	s.becomes("readiness", serving)
	if err := s.put("bolt"); err != nil {
		t.Errorf("Put afterwards: %v", err)
	}
}

// TestOptionalDependencies gives a server all of them, takes all of them away, and expects it to serve throughout.
func TestOptionalDependencies(t *testing.T) {
	t.Parallel()
	redis := testdeps.NewRedis(t)
	port := testdeps.Port(t)
	prices := servePrices(t, port)
	other := start(t)
	other.becomes("", serving)
	if err := other.put("cog"); err != nil {
		t.Fatal(err)
	}
	s := start(t, "REDIS_URL="+redis.URL(), "EXTERNAL_API_URL="+prices.URL, "UPSTREAM_ADDR="+other.addr)
	s.becomes("", serving)
	names := []string{"cache", "external_api", "upstream"}
	for _, name := range names {
		s.metric("dependency_"+name, "available", "healthy")
	}
	if err := s.put("bolt"); err != nil {
		t.Fatal(err)
	}
	resp, err := s.get("bolt")
	if err != nil || resp.GetPrice().GetMinorUnits() != 1299 {
		t.Errorf("Get = %v, %v; want a price", resp, err)
	}
	resp, err = s.get("cog")
	if err != nil || !resp.GetFromUpstream() {
		t.Errorf("Get = %v, %v; want the upstream's item", resp, err)
	}

	redis.Stop()
	prices.Close()
	other.Kill()
	for _, name := range names {
		s.metric("dependency_"+name, "unavailable", "warning")
	}
	s.becomes("", serving)
	if resp, err := s.get("bolt"); err != nil || resp.GetPrice() != nil {
		t.Errorf("Get = %v, %v; want the item without a price", resp, err)
	}
	if _, err := s.get("cog"); status.Code(err) != codes.NotFound {
		t.Errorf("Get = %v; want NOT_FOUND", err)
	}

	redis.Start()
	servePrices(t, port)
	for _, name := range names[:2] {
		s.metric("dependency_"+name, "available", "healthy")
		s.metric("breaker_"+name, "closed", "healthy")
	}
	if resp, err := s.get("bolt"); err != nil || resp.GetPrice().GetMinorUnits() != 1299 {
		t.Errorf("Get = %v, %v; want a price again", resp, err)
	}
}

// servePrices serves a price service on a port.
func servePrices(t *testing.T, port int) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"currency_code":"EUR","minor_units":1299}`)
	}))
	testdeps.Eventually(t, patience, func() error {
		lis, err := testdeps.Listen(t, port)
		if err != nil {
			return fmt.Errorf("listen again: %w", err)
		}
		_ = server.Listener.Close()
		server.Listener = lis
		return nil
	})
	server.Start()
	t.Cleanup(server.Close)
	return server
}
