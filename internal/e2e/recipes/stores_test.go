package recipes

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/internal/e2e/rig"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const patience = time.Minute

// run runs a check once.
func run(t *testing.T, check func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return check(ctx)
}

// want waits until a check passes, or fails with a text.
func want(t *testing.T, check func(context.Context) error, text string) {
	t.Helper()
	testdeps.Eventually(t, patience, func() error {
		err := run(t, check)
		if (err == nil) == (text == "") && strings.Contains(fmt.Sprint(err), text) {
			return nil
		}
		return fmt.Errorf("got %v, want %q", err, text) //nolint:errorlint // err may be nil.
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// writable is the query of docs/checks.md.
const writable = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"

func TestPostgresThatBecomesAStandby(t *testing.T) {
	pg := testdeps.NewPostgres(t)
	db := must(sql.Open("pgx", pg.URL("postgres")))
	defer db.Close()
	check := must(dependency.SQL(dependency.SQLConfig{DB: db, Query: writable}))
	recovering := must(dependency.SQLValue(dependency.SQLConfig{DB: db, Query: "SELECT count(*) FROM pg_stat_activity WHERE pg_is_in_recovery()"}))
	want(t, check, "")
	if _, err := db.ExecContext(t.Context(), "ALTER SYSTEM SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	want(t, check, "the query answered false")
	if m, err := recovering(t.Context()); err != nil || m.Value != 0 {
		t.Errorf("got %v, %v; want 0", m, err)
	}
	if err := pg.Standby(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, check, "the query answered false")
	if m, err := recovering(t.Context()); err != nil || m.Value == 0 {
		t.Errorf("got %v, %v; want some", m, err)
	}
	if err := run(t, must(dependency.SQL(dependency.SQLConfig{DB: db}))); err != nil {
		t.Errorf("a ping does not see it: %v", err)
	}
	if err := run(t, must(dependency.SQL(dependency.SQLConfig{DB: db, Query: "SELECT 1 WHERE false"}))); err == nil {
		t.Error("no row passes")
	}
}

func startRedis(t *testing.T, arguments ...string) (*rig.Process, string) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip(err)
	}
	port := must(rig.Port(t.Context()))
	cmd := exec.Command(path, append([]string{
		"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--cluster-port", fmt.Sprint(must(rig.Port(t.Context()))),
	}, arguments...)...)
	cmd.Dir = t.TempDir()
	p := must(rig.Start(cmd))
	t.Cleanup(p.Kill)
	addr := rig.Addr(port)
	want(t, must(dependency.Redis(dependency.RedisConfig{Addr: addr})), "")
	return p, addr
}

func TestRedisClusterOfThree(t *testing.T) {
	var nodes []*rig.Process
	var addrs []string
	for range 3 {
		p, addr := startRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "500", "--cluster-config-file", "nodes.conf")
		nodes, addrs = append(nodes, p), append(addrs, addr)
	}
	check := must(dependency.Redis(dependency.RedisConfig{Addr: addrs[0], Cluster: true}))
	want(t, check, "cluster state fail") // no slots yet
	create := exec.Command("redis-cli", append([]string{"--cluster-yes", "--cluster", "create"}, addrs...)...)
	if output, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	want(t, check, "")
	nodes[2].Kill()
	want(t, check, "cluster state fail")
	if err := run(t, must(dependency.Redis(dependency.RedisConfig{Addr: addrs[0]}))); err != nil {
		t.Errorf("a ping does not see it: %v", err)
	}
}

func TestRedisReplicaThatLosesItsMaster(t *testing.T) {
	master, addr := startRedis(t)
	_, port, _ := strings.Cut(addr, ":")
	_, replica := startRedis(t, "--replicaof", "127.0.0.1 "+port)
	linked := must(dependency.Redis(dependency.RedisConfig{Addr: replica, Replication: true}))
	checks := must(checker.New(checker.Config{Checks: []checker.Check{{Name: "replica", Run: linked, Interval: 50 * time.Millisecond}}}))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- checks.Run(ctx) }()
	state := func() checker.Result { return *must(checks.Snapshot(), nil).Results[0] }
	testdeps.Eventually(t, patience, func() error {
		if r := state(); r.Status != checker.Healthy || len(r.Values) != 1 || r.Values[0].Name != "replication_lag" {
			return fmt.Errorf("%v: %s %v (%w)", r.Status, r.Message, r.Values, r.Err)
		}
		return nil
	})
	want(t, must(dependency.Redis(dependency.RedisConfig{Addr: addr, Replication: true})), "")
	master.Kill()
	testdeps.Eventually(t, patience, func() error {
		if r := state(); r.Message != "Dependency replica is unavailable: replication link down" {
			return fmt.Errorf("%v: %s (%w)", r.Status, r.Message, r.Err)
		}
		return nil
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
