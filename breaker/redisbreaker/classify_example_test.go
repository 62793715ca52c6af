package redisbreaker_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/vitals-go/vitals/breaker/redisbreaker"
)

func ExampleClassify() {
	for _, err := range []error{nil, errors.New("connection refused"), context.Canceled} {
		fmt.Println(redisbreaker.Classify(err))
	}
	// Output:
	// success
	// failure
	// neutral
}
