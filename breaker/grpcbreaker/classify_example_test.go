package grpcbreaker_test

import (
	"fmt"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/breaker/grpcbreaker"
)

func ExampleClassify() {
	for _, code := range []codes.Code{codes.OK, codes.NotFound, codes.Unavailable, codes.ResourceExhausted} {
		fmt.Println(code, grpcbreaker.Classify(code))
	}
	// Output:
	// OK success
	// NotFound success
	// Unavailable failure
	// ResourceExhausted neutral
}
