package httpbreaker_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/vitals-go/vitals/breaker/httpbreaker"
)

func ExampleClassify() {
	for _, status := range []int{200, 404, 429, 502} {
		fmt.Println(status, httpbreaker.Classify(&http.Response{StatusCode: status}, nil))
	}
	fmt.Println(httpbreaker.Classify(nil, errors.New("connection refused")))
	// Output:
	// 200 success
	// 404 success
	// 429 neutral
	// 502 failure
	// failure
}
