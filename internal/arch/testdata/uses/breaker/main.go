// Program breaker puts a circuit breaker around a call, without a server.
package main

import (
	"context"

	"github.com/vitals-go/vitals/breaker"
)

func main() {
	b, err := breaker.New(breaker.Config{Name: "payments"})
	if err != nil {
		panic(err)
	}
	text, err := breaker.Do(context.Background(), b, func(context.Context) (string, error) { return "charged", nil })
	println(text, err == nil)
}
