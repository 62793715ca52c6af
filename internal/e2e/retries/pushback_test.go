package retries

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
	"github.com/vitals-go/vitals/interceptor"
)

// TestRejectionOnTheWireIsNotRetried has a client with retries by its service config, in front of a server whose handlers
// return the rejection of a breaker.
func TestRejectionOnTheWireIsNotRetried(t *testing.T) {
	behind := newClient(t, breaker.Config{})
	behind.breaker.TripFor(time.Minute)
	_, rejection := behind.breaker.Allow(context.Background())
	passedOn := status.Convert(rejection).Err() // as the client of a further server gets it
	for name, options := range map[string]func(*testing.T) []grpc.ServerOption{
		"vitals":      func(t *testing.T) []grpc.ServerOption { return newHealth(t).ServerOptions() },
		"recorder":    func(t *testing.T) []grpc.ServerOption { return newRecorder(t).ServerOptions() },
		"grpcbreaker": func(*testing.T) []grpc.ServerOption { return grpcbreaker.ServerOptions() },
		"both": func(t *testing.T) []grpc.ServerOption {
			return append(newHealth(t).ServerOptions(), grpcbreaker.ServerOptions()...)
		},
	} {
		for kind, call := range calls {
			for which, err := range map[string]error{
				"rejection": rejection, "wrapped": fmt.Errorf("payments: %w", rejection), "passed on": passedOn,
			} {
				t.Run(name+"/"+kind+"/"+which, func(t *testing.T) {
					f := &flaky{fail: func(int64) error { return err }}
					c := newClient(t, neverOpens)
					c.dial(t, serve(t, f, options(t)...), grpc.WithDefaultServiceConfig(serviceConfig))
					got := call(t.Context(), c)
					if status.Code(got) != codes.Unavailable || breaker.Retryable(got) {
						t.Errorf("the caller gets %v, want a rejection", got)
					}
					if attempts := f.attempts.Load(); attempts != 1 {
						t.Errorf("%d handlers run, want 1", attempts)
					}
				})
			}
		}
	}
}

func newHealth(t *testing.T) *vitals.Health {
	t.Helper()
	health, err := vitals.New(vitals.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return health
}

func newRecorder(t *testing.T) *interceptor.Recorder {
	t.Helper()
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return recorder
}
