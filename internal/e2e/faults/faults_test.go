package faults

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/redisbreaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// victim is a real server that can be hurt.
type victim interface {
	Stop()
	Start()
	Freeze()
	Thaw()
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	pg := testdeps.NewPostgres(t)
	config, err := pgx.ParseConfig(pg.URL("postgres") + "&connect_timeout=2")
	if err != nil {
		t.Fatal(err)
	}
	b := newBreaker(t, "database")
	connector, err := sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: stdlib.GetConnector(*config)})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	query := func(ctx context.Context) error {
		var one int
		return db.QueryRowContext(ctx, "select $1::int", 1).Scan(&one)
	}
	drill(t, pg, b, query, b.Check(db.PingContext))
}

func TestRedis(t *testing.T) {
	t.Parallel()
	server := testdeps.NewRedis(t)
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	b := newBreaker(t, "cache")
	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b})
	if err != nil {
		t.Fatal(err)
	}
	options.Limiter, options.ContextTimeoutEnabled, options.MaxRetries = limiter, true, -1
	options.DialTimeout = time.Second
	client := redis.NewClient(options)
	defer client.Close()
	set := func(ctx context.Context) error { return client.Set(ctx, "key", "value", time.Minute).Err() }
	drill(t, server, b, set, limiter.Check(func(ctx context.Context) error { return client.Ping(ctx).Err() }))
}

// drill hurts a dependency in each way and wants its breaker to open, and to close again by the check alone.
func drill(t *testing.T, s victim, b *breaker.Breaker, use, check func(context.Context) error) {
	t.Helper()
	call := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return use(ctx)
	}
	testdeps.Eventually(t, patience, func() error { b.Reset(); return call() })
	for _, fault := range []struct {
		name         string
		begin, relax func()
	}{
		{"crash", s.Stop, s.Start},
		{"freeze", s.Freeze, s.Thaw},
		{"restart", func() { s.Stop(); s.Start() }, func() {}},
	} {
		t.Log(fault.name)
		fault.begin()
		if fault.name != "restart" {
			testdeps.Eventually(t, patience, func() error {
				if err := call(); b.State() != breaker.Open {
					return fmt.Errorf("the breaker is %v after %s and %w", b.State(), fault.name, orNone(err))
				}
				return nil
			})
			if err := call(); !breaker.IsRejected(err) {
				t.Errorf("%s: %v, want calls to be turned away: the check probes", fault.name, err)
			}
		}
		fault.relax()
		testdeps.Eventually(t, patience, func() error {
			if err := check(t.Context()); err != nil || b.State() != breaker.Closed {
				return fmt.Errorf("the breaker is %v, the check says %w", b.State(), orNone(err))
			}
			return nil
		})
		testdeps.Eventually(t, patience, call)
	}
	if s := b.Snapshot(); s.Calls.Rejected == 0 || s.Transitions[breaker.Open] < 2 {
		t.Errorf("%+v", s)
	}
}

var errNone = errors.New("no error")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

func newBreaker(t *testing.T, name string) *breaker.Breaker {
	t.Helper()
	b, err := breaker.New(breaker.Config{
		Name: name, OpenTime: 100 * time.Millisecond, MaxOpenTime: time.Second, MaxCallTime: time.Second, ProbeOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
