package retries

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
)

// TestRetryOutsideSendsFewerAttempts makes a call each second of an outage of a minute, each of up to five attempts.
// docs/dependency.md shows the figures.
func TestRetryOutsideSendsFewerAttempts(t *testing.T) {
	for _, test := range []struct {
		name         string
		inside       bool
		sent, toOpen int // attempts in all, and until the breaker opened
	}{
		{"retry inside the breaker", true, 40, 25},
		{"retry outside the breaker", false, 8, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if sent, toOpen := outage(t, test.inside); sent != test.sent || toOpen != test.toOpen {
					t.Errorf("%d attempts, %d to open; want %d and %d", sent, toOpen, test.sent, test.toOpen)
				}
			})
		})
	}
}

func outage(t *testing.T, inside bool) (sent, toOpen int) {
	c := newClient(t, breaker.Config{Jitter: -1})
	fails := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		if sent++; c.breaker.Snapshot().Transitions[breaker.Open] == 0 {
			toOpen++
		}
		return status.Error(codes.Unavailable, "outage")
	}
	outer := retry.UnaryClientInterceptor(retry.WithMax(5), retry.WithBackoff(retry.BackoffLinear(100*time.Millisecond)),
		retry.WithRetriable(breaker.Retryable))
	inner := grpc.UnaryClientInterceptor(c.guard.UnaryClientInterceptor)
	if inside {
		outer, inner = inner, outer
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.Tick(time.Second); ctx.Err() == nil; <-tick {
		err := outer(ctx, "/a.B/C", nil, nil, nil,
			func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, opts ...grpc.CallOption) error {
				return inner(ctx, method, req, reply, cc, fails, opts...)
			})
		if err == nil {
			t.Fatal("a call succeeded")
		}
	}
	return sent, toOpen
}
