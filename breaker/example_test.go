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
	hosts, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "partners"}, MaxBreakers: 2})
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
		fmt.Println("the check calls the dependency")
		return nil
	})
	fmt.Println(ping(context.Background()))
	b.ForceOpen("maintenance until noon")
	fmt.Println(ping(context.Background()))
	// Output:
	// the check calls the dependency
	// <nil>
	// circuit breaker cache is open
}

// While the dependency is down, calls are rejected at once and the caller uses a fallback.
func ExampleDo() {
	b, err := breaker.New(breaker.Config{Name: "prices"})
	if err != nil {
		panic(err)
	}
	ask := func(context.Context) (int, error) { return 42, nil }
	fmt.Println(breaker.Do(context.Background(), b, ask))
	b.ForceOpen("maintenance")
	fmt.Println(breaker.Do(context.Background(), b, ask))
	// Output:
	// 42 <nil>
	// 0 circuit breaker prices is open
}

// A retry must not repeat a rejected call.
func ExampleIsRejected() {
	b, err := breaker.New(breaker.Config{Name: "prices"})
	if err != nil {
		panic(err)
	}
	b.ForceOpen("maintenance")
	_, err = b.Allow(context.Background())
	fmt.Println(breaker.IsRejected(fmt.Errorf("asking for a price: %w", err)))
	fmt.Println(breaker.IsRejected(errors.New("connection refused")))
	// Output:
	// true
	// false
}

// A classifier that adds one neutral error to the default.
func ExampleDefaultClassify() {
	errBusy := errors.New("busy, come again")
	classify := func(err error) breaker.Outcome {
		if errors.Is(err, errBusy) {
			return breaker.Neutral
		}
		return breaker.DefaultClassify(err)
	}
	for _, err := range []error{nil, errBusy, errors.New("connection refused"), context.Canceled} {
		fmt.Println(classify(err))
	}
	// Output:
	// success
	// neutral
	// failure
	// neutral
}

func ExampleRetryable() {
	b, err := breaker.New(breaker.Config{Name: "payments"})
	if err != nil {
		panic(err)
	}
	call := func() error {
		_, err := breaker.Do(context.Background(), b, func(context.Context) (string, error) {
			return "", errors.New("connection refused")
		})
		return err
	}
	attempts := 1
	for err = call(); breaker.Retryable(err); err = call() {
		attempts++
	}
	fmt.Println(attempts, err)
	// Output: 6 circuit breaker payments is open
}
