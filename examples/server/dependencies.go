package main

import (
	"cmp"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
	"github.com/vitals-go/vitals/breaker/httpbreaker"
	"github.com/vitals-go/vitals/breaker/redisbreaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/priceapi"
	"github.com/vitals-go/vitals/examples/inventory/rediscache"
	"github.com/vitals-go/vitals/examples/inventory/sqlstore"
	"github.com/vitals-go/vitals/examples/inventory/upstream"
)

// dependencies are what the server talks to: each behind a breaker of its own, and with a check of the same name that
// does the breaker's probing. Only the database is required.
type dependencies struct {
	inventory inventory.Config
	checks    []checker.Check
	breakers  []breaker.SnapshotSource

	cfg     config
	store   *sqlstore.Store
	closers []func()
}

// connect prepares everything that cfg names and reports every mistake in it. It connects to nothing yet: what is away
// now may come later. The caller closes what it returns, errors or not.
func connect(cfg config) (*dependencies, error) {
	d := &dependencies{cfg: cfg}
	return d, errors.Join(d.database(), d.cache(), d.externalAPI(), d.upstream())
}

func (d *dependencies) close() {
	for _, closer := range d.closers {
		closer()
	}
}

func (d *dependencies) database() error {
	b, err := d.breaker("database")
	if err != nil {
		return err
	}
	guard := func(connector driver.Connector) (driver.Connector, error) {
		return sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: connector, Classify: sqlstore.Classify})
	}
	variable := "INVENTORY_DB"
	if d.cfg.postgres != "" {
		variable = "DATABASE_URL"
		d.store, err = sqlstore.Postgres(d.cfg.postgres, guard)
	} else {
		d.store, err = sqlstore.SQLite(d.cfg.sqlite, guard)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	d.inventory.Store = d.store
	d.closers = append(d.closers, func() { _ = d.store.Close() })
	d.check(checker.Check{Name: "database", Run: b.Check(d.store.Check)})
	return nil
}

func (d *dependencies) cache() error {
	if d.cfg.redis == "" {
		return nil
	}
	b, err := d.breaker("cache")
	if err != nil {
		return err
	}
	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b})
	if err != nil {
		return err
	}
	identity := func() string { return d.store.Identity() }
	cache, err := rediscache.New(rediscache.Config{URL: d.cfg.redis, Identity: identity, Limiter: limiter})
	if err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	d.inventory.Cache = cache
	d.closers = append(d.closers, func() { _ = cache.Close() })
	d.check(checker.Check{Name: "cache", Run: limiter.Check(cache.Check), Optional: true})
	return nil
}

func (d *dependencies) externalAPI() error {
	if d.cfg.prices == "" {
		return nil
	}
	b, err := d.breaker("external_api")
	if err != nil {
		return err
	}
	transport, err := httpbreaker.New(httpbreaker.Config{Breaker: b})
	if err != nil {
		return err
	}
	prices, err := priceapi.New(priceapi.Config{URL: d.cfg.prices, Transport: transport})
	if err != nil {
		return fmt.Errorf("EXTERNAL_API_URL: %w", err)
	}
	d.inventory.Prices = prices
	d.closers = append(d.closers, prices.Close)
	d.check(checker.Check{Name: "external_api", Run: b.Check(prices.Check), Optional: true})
	return nil
}

func (d *dependencies) upstream() error {
	if d.cfg.upstream == "" {
		return nil
	}
	b, err := d.breaker("upstream")
	if err != nil {
		return err
	}
	guard, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		return err
	}
	secrecy := insecure.NewCredentials()
	if d.cfg.upstreamTLS != nil {
		secrecy = credentials.NewTLS(d.cfg.upstreamTLS)
	}
	// As often as its check comes: gRPC's two minutes would keep us from noticing that it is back.
	retry := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 5 * time.Second}
	retry.Backoff.MaxDelay = failingInterval(d.cfg.health.CheckInterval)
	retry.Backoff.BaseDelay = min(retry.Backoff.BaseDelay, retry.Backoff.MaxDelay)
	conn, err := grpc.NewClient(d.cfg.upstream, append(guard.DialOptions(),
		grpc.WithTransportCredentials(secrecy), grpc.WithConnectParams(retry))...)
	if err != nil {
		return fmt.Errorf("UPSTREAM_ADDR: %w", err)
	}
	d.inventory.Upstream = upstream.New(conn)
	d.closers = append(d.closers, func() { _ = conn.Close() })
	ask, err := dependency.GRPC(dependency.GRPCConfig{Conn: conn})
	if err != nil {
		return err
	}
	d.check(checker.Check{Name: "upstream", Run: b.Check(ask), Optional: true})
	return nil
}

// breaker returns a breaker that leaves probing to the check. It is open for less than the time between two runs of a
// failing check, so that each of them is a probe and the dependency is back as soon as one passes. While calls succeed,
// the check does not call it.
func (d *dependencies) breaker(name string) (*breaker.Breaker, error) {
	open := failingInterval(d.cfg.health.CheckInterval) / 2
	evidence := d.cfg.health.CheckTimeout
	if name == "upstream" {
		evidence = 0 // its health also shows whether it drains
	}
	b, err := breaker.New(breaker.Config{
		Name: name, OpenTime: open, MaxOpenTime: open, MaxCallTime: d.cfg.health.CheckTimeout, ProbeOnly: true, PassiveWindow: evidence,
	})
	if err != nil {
		return nil, err
	}
	d.breakers = append(d.breakers, b)
	return b, nil
}

// failingInterval is how often a failing check runs; see checker.Check.FailingInterval.
func failingInterval(interval time.Duration) time.Duration {
	return min(5*time.Second, cmp.Or(interval, 30*time.Second))
}

func (d *dependencies) check(check checker.Check) { d.checks = append(d.checks, check) }
