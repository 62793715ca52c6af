package dependency_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func ExampleHTTP() {
	prices := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":"ok"}`)
	}))
	defer prices.Close()

	ask, err := dependency.HTTP(dependency.HTTPConfig{URL: prices.URL + "/status", Contains: `"ok"`})
	if err != nil {
		fmt.Println(err)
		return
	}
	check := checker.Check{Name: "external_api", Run: ask, Optional: true}
	fmt.Println(check.Name, check.Run(context.Background()))
	// Output: external_api <nil>
}

func ExampleTCP() {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer lis.Close()

	ask, err := dependency.TCP(dependency.TCPConfig{Addr: lis.Addr().String()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(context.Background()))
	// Output: <nil>
}

func ExampleDNS() {
	ask, err := dependency.DNS(dependency.DNSConfig{Name: "localhost"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(context.Background()))
	// Output: <nil>
}

func ExampleGRPC() {
	upstream := grpc.NewServer()
	healthpb.RegisterHealthServer(upstream, health.NewServer())
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = upstream.Serve(lis) }()
	defer upstream.Stop()

	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	server, err := dependency.GRPC(dependency.GRPCConfig{Conn: conn})
	if err != nil {
		fmt.Println(err)
		return
	}
	orders, err := dependency.GRPC(dependency.GRPCConfig{Conn: conn, Service: "shop.v1.Orders"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server(context.Background()))
	fmt.Println(orders(context.Background()))
	// Output:
	// <nil>
	// rpc error: code = NotFound desc = unknown service: the upstream's health service does not know service shop.v1.Orders: check that it is the full name and registered
}

func ExampleSQL() {
	db := sql.OpenDB(&database{}) // sql.Open("pgx", url) in earnest
	defer db.Close()

	ask, err := dependency.SQL(dependency.SQLConfig{DB: db, Query: "SELECT 1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(context.Background()))
	// Output: <nil>
}

func ExampleSQLValue() {
	db := sql.OpenDB(&database{answers: []driver.Value{int64(3)}})
	defer db.Close()

	pending, err := dependency.SQLValue(dependency.SQLConfig{DB: db, Query: "SELECT count(*) FROM migrations WHERE NOT applied"})
	if err != nil {
		fmt.Println(err)
		return
	}
	check := checker.Check{Name: "migrations", Measure: pending, Critical: checker.Above(0)}
	fmt.Println(check.Measure(context.Background()))
	// Output: {3  } <nil>
}

func ExampleSQLPool() {
	db := sql.OpenDB(&database{})
	defer db.Close()
	db.SetMaxOpenConns(10)

	check, err := dependency.SQLPool(dependency.SQLPoolConfig{Name: "database_pool", DB: db})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := check.Measure(context.Background())
	fmt.Printf("%s at %.1f%s %s, %v\n", check.Title, m.Value, m.Unit, m.Source, err)
	// Output: Connection pool database_pool at 0.0% of 10 connections, <nil>
}

func ExampleRedis() {
	_, err := dependency.Redis(dependency.RedisConfig{Addr: "cache", Username: "shop"})
	fmt.Println(err)
	// Output:
	// dependency: RedisConfig.Addr: got "cache", want host:port or unix:/path
	// dependency: RedisConfig.Username: requires Password
}

// fakeRedis has the method of a go-redis client that matters here.
type fakeRedis struct{}

func (fakeRedis) Ping(context.Context) *statusCmd {
	return &statusCmd{errors.New("LOADING Redis is loading the dataset in memory")}
}

func ExampleCommand() {
	var client fakeRedis // redis.NewClient(options) in earnest
	check := checker.Check{Name: "cache", Run: dependency.Command(client.Ping), Optional: true}
	fmt.Println(check.Run(context.Background()))
	// Output: LOADING Redis is loading the dataset in memory: it is still loading its data: wait
}

func ExampleCertificate() {
	check, err := dependency.Certificate(dependency.CertificateConfig{
		Name: "api_certificate", Addr: "api.example.com:443",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: warning above %v%% of the lifetime, critical above %v%%, looked at every %v\n",
		check.Name, check.Warning.Value(), check.Critical.Value(), check.Interval)
	// Output: api_certificate: warning above 80% of the lifetime, critical above 95%, looked at every 1h0m0s
}

func up(context.Context) error   { return nil }
func down(context.Context) error { return errors.New("connection refused") }

func ExampleAll() {
	ask, err := dependency.All(
		dependency.Member{Name: "queue", Run: up},
		dependency.Member{Name: "worker", Run: down},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(context.Background()))
	// Output: 2 of 2 must pass, 1 did: worker: connection refused
}

func ExampleAny() {
	ask, err := dependency.Any(
		dependency.Member{Name: "primary", Run: down},
		dependency.Member{Name: "replica", Run: up},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(context.Background()))
	// Output: <nil>
}

func ExampleQuorum() {
	ask, err := dependency.Quorum(2,
		dependency.Member{Name: "etcd-1", Run: up},
		dependency.Member{Name: "etcd-2", Run: down},
		dependency.Member{Name: "etcd-3", Run: up},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(context.Background()))
	// Output: <nil>
}
