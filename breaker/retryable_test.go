package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
)

func TestRetryable(t *testing.T) {
	rejection := &breaker.OpenError{Name: "payments", State: breaker.Open}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("connection refused"), true},
		{rejection, false},
		{&url.Error{Op: "Get", URL: "http://localhost", Err: rejection}, false},
		{fmt.Errorf("charge: %w", status.Convert(rejection).Err()), false}, // of a server
		{status.Error(codes.Unavailable, ""), true},
		{fmt.Errorf("charge: %w", status.Error(codes.ResourceExhausted, "")), true},
		{status.Error(codes.NotFound, ""), false},
		{status.Error(codes.Unknown, ""), false},
		{status.Error(codes.DeadlineExceeded, ""), false},
		{fmt.Errorf("charge: %w", context.DeadlineExceeded), false},
		{context.Canceled, false},
	} {
		if got := breaker.Retryable(test.err); got != test.want {
			t.Errorf("%v: retryable %v, want %v", test.err, got, test.want)
		}
	}
}
