package faults

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"

	"github.com/vitals-go/vitals/breaker/redisbreaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
)

func TestPostgres(t *testing.T) {
	s, url := startPostgres(t)
	config, err := pgx.ParseConfig(url)
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
	drill(t, s, b, query, b.Check(db.PingContext))
}

func TestRedis(t *testing.T) {
	s, addr := startRedis(t)
	b := newBreaker(t, "cache")
	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b})
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{
		Addr: addr, Limiter: limiter, ContextTimeoutEnabled: true, MaxRetries: -1, DialTimeout: time.Second,
	})
	defer client.Close()
	set := func(ctx context.Context) error { return client.Set(ctx, "key", "value", time.Minute).Err() }
	drill(t, s, b, set, limiter.Check(func(ctx context.Context) error { return client.Ping(ctx).Err() }))
}
