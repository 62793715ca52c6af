package breaker_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/vitals-go/vitals/breaker"
)

func ExampleNew() {
	b, err := breaker.New(breaker.Config{Name: "database"})
	if err != nil {
		panic(err)
	}
	lookup := func(context.Context) (string, error) { return "", errors.New("connection refused") }
	for range 6 {
		_, err = breaker.Do(context.Background(), b, lookup)
		fmt.Println(err)
	}
	fmt.Println(breaker.IsRejected(err), b.State())
	// Output:
	// connection refused
	// connection refused
	// connection refused
	// connection refused
	// connection refused
	// circuit breaker database is open
	// true open
}

func ExampleNewGroup() {
	hosts, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "partners"}, Limit: 2})
	if err != nil {
		panic(err)
	}
	for _, host := range []string{"a.example", "b.example", "c.example", "d.example"} {
		fmt.Println(hosts.Get(host).Name())
	}
	// Output:
	// partners/a.example
	// partners/b.example
	// partners
	// partners
}

func ExampleBreaker_Check() {
	b, err := breaker.New(breaker.Config{Name: "cache"})
	if err != nil {
		panic(err)
	}
	ping := b.Check(func(context.Context) error {
		fmt.Println("the dependency is asked")
		return nil
	})
	fmt.Println(ping(context.Background()))
	b.ForceOpen("maintenance until noon")
	fmt.Println(ping(context.Background()))
	// Output:
	// the dependency is asked
	// <nil>
	// circuit breaker cache is open
}
