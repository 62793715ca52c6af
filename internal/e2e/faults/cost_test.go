package faults

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// asked is a server in this process, whose checks come once an hour unless they are told to.
type asked struct {
	t      *testing.T
	vitals *vitals.Health
	web    string
	client http.Client
	health healthpb.HealthClient
	report vitalspb.HealthReportServiceClient
}

func newAsked(t *testing.T, checks ...checker.Check) *asked {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 200}
	a := &asked{t: t, web: "http://" + testdeps.Addr(testdeps.Port(t)), client: http.Client{Transport: transport}}
	never := resource.Config{CPU: checker.Above(100), Memory: checker.Above(100), Disk: checker.Above(100)}
	var err error
	a.vitals, err = vitals.New(vitals.Config{
		Dependencies: checks, CheckInterval: time.Hour, CheckTimeout: time.Minute, HTTPAddr: strings.TrimPrefix(a.web, "http://"),
		Prometheus: true, DrainDelay: -1, Resources: never, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	lis, err := testdeps.Listen(t, testdeps.Port(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = a.vitals.Serve(ctx, grpc.NewServer(a.vitals.ServerOptions()...), lis) })
	t.Cleanup(func() { transport.CloseIdleConnections(); cancel(); serving.Wait() })
	conn := dial(t, lis.Addr().String())
	a.health, a.report = healthpb.NewHealthClient(conn), vitalspb.NewHealthReportServiceClient(conn)
	return a
}

// TestProbesCostTheDependenciesNothing asks every door very often, and looks at the dependencies' own books.
func TestProbesCostTheDependenciesNothing(t *testing.T) {
	pg, server := testdeps.NewPostgres(t), testdeps.NewRedis(t)
	db, err := sql.Open("pgx", pg.Database()+"&application_name=asked")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	client := newRedis(t, server)
	ping := func(ctx context.Context) error { return client.Ping(ctx).Err() }
	a := newAsked(t, checker.Check{Name: "database", Run: db.PingContext}, checker.Check{Name: "cache", Run: ping})
	a.becomes("", serving)

	books := func() [2]string { return [2]string{postgresBooks(t, pg), redisBooks(t, server)} }
	before := books()
	if _, err := a.vitals.Checker().Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	opened := books()
	if opened[0] == before[0] || opened[1] == before[1] {
		t.Fatalf("a run of the checks does not show in the books: %q, before %q", opened, before)
	}
	for path, times := range map[string]int{"/health": 200, "/ready": 200, "/live": 200, "/health/database": 50, "/metrics": 50} {
		a.many(times, func() error { return a.get(path) })
	}
	a.many(1000, func() error {
		_, err := a.health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "database"})
		return err
	})
	a.many(200, func() error {
		_, err := a.report.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{IncludeMethods: true})
		return err
	})
	a.many(200, func() error {
		_, err := a.health.List(t.Context(), &healthpb.HealthListRequest{})
		return err
	})
	if closed := books(); closed != opened {
		t.Errorf("the probes have reached the dependencies: %q, before %q", closed, opened)
	}
}

// entrance is where checks tell that they have begun.
type entrance chan string

func (e entrance) check(name string, run func(context.Context) error) checker.Check {
	return checker.Check{Name: name, Run: func(ctx context.Context) error {
		e <- name
		return run(ctx)
	}}
}

// TestReportsWhileEverythingHangs freezes both dependencies, lets a third check hang for ever, and reads while the
// checks run: everybody is answered, and what was made for one reader of an edition is given to all.
func TestReportsWhileEverythingHangs(t *testing.T) {
	pg, server := testdeps.NewPostgres(t), testdeps.NewRedis(t)
	db, err := sql.Open("pgx", pg.Database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	client := newRedis(t, server)
	release, entered := make(chan struct{}), make(entrance, 3)
	hung := entered.check("hung", func(context.Context) error { <-release; return nil }) // It ignores its context.
	hung.Optional = true
	ping := func(ctx context.Context) error { return client.Ping(ctx).Err() }
	a := newAsked(t, entered.check("database", db.PingContext), entered.check("cache", ping), hung)
	a.becomes("", serving)
	for range cap(entered) {
		<-entered
	}
	pg.Freeze()
	server.Freeze()
	frozen := a.vitals.Checker().Snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	var refreshing sync.WaitGroup
	refreshing.Go(func() { _, _ = a.vitals.Checker().Refresh(ctx, "database", "cache", "hung") })
	<-entered
	<-entered // Both of them hang now, beside the third.
	a.sharesTranslations(200)
	// The wire, too: one connection, all at once.
	a.many(200, func() error {
		_, err := a.report.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{})
		return err
	})
	a.many(200, func() error { return a.get("/health") })
	a.many(50, func() error { return a.get("/metrics") })
	a.unchanged(frozen, "database", "cache", "hung")
	close(release)
	pg.Thaw()
	server.Thaw()
	cancel()
	refreshing.Wait()
	a.becomes("", serving)
}

// sharesTranslations reads so many reports, and wants one translation for each edition.
func (a *asked) sharesTranslations(times int) {
	a.t.Helper()
	var mu sync.Mutex
	made := make(map[uint64]uintptr) // by edition, where its metrics lie
	reports := a.vitals.Server().ReportServer()
	a.many(times, func() error {
		report, err := reports.GetHealthReport(a.t.Context(), &vitalspb.HealthReportRequest{})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		at := reflect.ValueOf(report.GetMetrics()).Pointer()
		if known, ok := made[report.GetRevision()]; ok && known != at {
			return fmt.Errorf("edition %d was translated twice", report.GetRevision())
		}
		made[report.GetRevision()] = at
		return nil
	})
}

// unchanged wants no run of the checks to have ended since an edition.
func (a *asked) unchanged(since *checker.Snapshot, names ...string) {
	a.t.Helper()
	for _, name := range names {
		was, _ := since.Lookup(name)
		if is, _ := a.vitals.Checker().Snapshot().Lookup(name); !is.At.Equal(was.At) {
			a.t.Errorf("the check of %s has ended: nothing hung while we read", name)
		}
	}
}

// many does something so often, 200 at a time, and wants it to succeed each time.
func (a *asked) many(times int, do func() error) {
	a.t.Helper()
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for range min(times, 200) {
		all.Go(func() {
			for range max(times/200, 1) {
				if err := do(); err != nil {
					mu.Lock()
					first = errors.Join(first, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	all.Wait()
	if first != nil {
		a.t.Error(first)
	}
}

func (a *asked) becomes(name string, want healthpb.HealthCheckResponse_ServingStatus) {
	a.t.Helper()
	testdeps.Eventually(a.t, patience, func() error {
		resp, err := a.health.Check(a.t.Context(), &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
		if err != nil || resp.GetStatus() != want {
			return fmt.Errorf("%q is %v (%w), want %v", name, resp.GetStatus(), orNone(err), want)
		}
		return nil
	})
}

// get wants an answer, whatever it is.
func (a *asked) get(path string) error {
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.web+path, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func newRedis(t *testing.T, server *testdeps.Redis) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.ReadTimeout, options.MaxRetries = -1, -1 // The check's timeout is the only one.
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// postgresBooks says who is connected as "asked", and when each connection last did anything.
func postgresBooks(t *testing.T, pg *testdeps.Postgres) (text string) {
	t.Helper()
	db, err := sql.Open("pgx", pg.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.QueryRowContext(t.Context(), `
		SELECT coalesce(string_agg(concat_ws(' ', pid, backend_start, query_start, state_change), E'\n' ORDER BY pid), '')
		FROM pg_stat_activity WHERE application_name = 'asked'`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	if text == "" {
		t.Fatal("nobody is connected to PostgreSQL")
	}
	return text + "\n"
}

// redisBooks lists the commands that Redis has answered, but for those with which it is asked.
func redisBooks(t *testing.T, server *testdeps.Redis) (text string) {
	t.Helper()
	client := newRedis(t, server)
	defer client.Close()
	info, err := client.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		name, stats, _ := strings.Cut(line, ":")
		if name == "cmdstat_ping" {
			calls, _, _ := strings.Cut(stats, ",")
			text += name + " " + calls + "\n"
		}
	}
	if text == "" {
		t.Fatalf("Redis has answered no PING:\n%s", info)
	}
	return text
}
