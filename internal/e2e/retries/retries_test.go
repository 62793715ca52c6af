// Package retries proves that a call which is retried counts once in breakers and recorders, by what its caller got.
package retries

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/breaker"
)

// serviceConfig makes gRPC itself retry.
const serviceConfig = `{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.001s",
	"maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`

// middleware returns go-grpc-middleware's retry interceptors. They retry unary calls and server streams.
func middleware(opts ...retry.CallOption) []grpc.DialOption {
	opts = append([]retry.CallOption{retry.WithMax(4), retry.WithBackoff(retry.BackoffLinear(time.Millisecond))}, opts...)
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(retry.UnaryClientInterceptor(opts...)),
		grpc.WithChainStreamInterceptor(retry.StreamClientInterceptor(opts...)),
	}
}

const n = 9 // calls of a test; with twice as many attempts the failure rate does not yet open a breaker

// neverOpens counts only.
var neverOpens = breaker.Config{ConsecutiveFailures: -1, FailureRate: -1}

// TestCallCountsOnceByWhatItsCallerGot has the breaker and the recorder outside of all retries.
func TestCallCountsOnceByWhatItsCallerGot(t *testing.T) {
	for name, retries := range map[string][]grpc.DialOption{
		"go-grpc-middleware":     middleware(),
		"service config":         {grpc.WithDefaultServiceConfig(serviceConfig)},
		"a new context for each": {grpc.WithChainStreamInterceptor(retryStream), grpc.WithChainUnaryInterceptor(retryUnary)},
	} {
		for kind, call := range calls {
			if name != "service config" && kind != "unary" && kind != "server stream" {
				continue
			}
			for _, test := range []struct {
				name     string
				fail     func(int64) error
				want     breaker.Calls
				attempts int64
			}{
				{"every second attempt fails", everySecond, breaker.Calls{Successes: n}, 2 * n},
				{"all attempts fail", always, breaker.Calls{Failures: n}, 4 * n},
			} {
				t.Run(strings.Join([]string{name, kind, test.name}, "/"), func(t *testing.T) {
					f := &flaky{fail: test.fail}
					c := newClient(t, neverOpens)
					c.dial(t, serve(t, f), append(append(c.recorder.DialOptions(), c.guard.DialOptions()...), retries...)...)
					expectCounted(t, c, call)
					if got := c.breaker.Snapshot().Calls; got != test.want {
						t.Errorf("the breaker counts %+v, want %+v", got, test.want)
					}
					if got := f.attempts.Load(); got != test.attempts {
						t.Errorf("%d attempts, want %d", got, test.attempts)
					}
				})
			}
		}
	}
}

func TestTransparentRetryCountsOnce(t *testing.T) {
	for kind, call := range calls {
		t.Run(kind, func(t *testing.T) {
			c := newClient(t, neverOpens)
			c.dial(t, refusing(t), append(c.recorder.DialOptions(), c.guard.DialOptions()...)...)
			expectCounted(t, c, call)
			if got, want := c.breaker.Snapshot().Calls, (breaker.Calls{Successes: n}); got != want {
				t.Errorf("the breaker counts %+v, want %+v", got, want)
			}
		})
	}
}

// TestBreakerInsideCountsAttempts has the breaker inside, where the retry interceptor is its caller.
func TestBreakerInsideCountsAttempts(t *testing.T) {
	for _, kind := range []string{"unary", "server stream"} {
		t.Run(kind, func(t *testing.T) {
			c := newClient(t, neverOpens)
			c.dial(t, serve(t, &flaky{fail: everySecond}),
				append(append(c.recorder.DialOptions(), middleware(retry.WithRetriable(breaker.Retryable))...), c.guard.DialOptions()...)...)
			expectCounted(t, c, calls[kind])
			if got, want := c.breaker.Snapshot().Calls, (breaker.Calls{Successes: n, Failures: n}); got != want {
				t.Errorf("the breaker counts %+v, want %+v", got, want)
			}
		})
	}
}

// expectCounted makes n calls and expects the recorder to count what they returned.
func expectCounted(t *testing.T, c *client, call func(context.Context, *client) error) {
	t.Helper()
	want, got := map[codes.Code]uint64{}, map[codes.Code]uint64{}
	for range n {
		want[status.Code(call(t.Context(), c))]++
	}
	total := c.recorder.Client().Total
	for code := range want {
		got[code] = total.ByCode(code)
	}
	if !maps.Equal(got, want) || total.Handled != n || total.InFlight() != 0 {
		t.Errorf("the recorder counts %v of %d calls, %d in flight; want %v", got, total.Handled, total.InFlight(), want)
	}
}

func TestHalfOpenProbeThatIsRetriedCloses(t *testing.T) {
	for kind, call := range calls {
		for name, retries := range map[string][]grpc.DialOption{
			"go-grpc-middleware": middleware(),
			"service config":     {grpc.WithDefaultServiceConfig(serviceConfig)},
		} {
			if name == "go-grpc-middleware" && kind != "unary" && kind != "server stream" {
				continue
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				c := newClient(t, breaker.Config{})
				c.dial(t, serve(t, &flaky{fail: everySecond}), append(c.guard.DialOptions(), retries...)...)
				c.breaker.TripFor(10 * time.Millisecond)
				err := call(t.Context(), c)
				for ; breaker.IsRejected(err); err = call(t.Context(), c) {
					time.Sleep(time.Millisecond)
				}
				if err != nil {
					t.Fatal(err)
				}
				if s := c.breaker.Snapshot(); s.State != breaker.Closed || s.Transitions[breaker.Open] != 1 {
					t.Errorf("the breaker is %v after %v", s.State, s.Transitions)
				}
			})
		}
	}
}

// retryUnary and retryStream retry as people write it themselves: each attempt has a context of its own.
func retryUnary(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) (err error) {
	for range 4 {
		attempt, cancel := context.WithTimeout(ctx, time.Minute)
		err = invoke(attempt, method, req, reply, cc, opts...)
		cancel()
		if err == nil {
			break
		}
	}
	return err
}

func retryStream(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	s := &retriedStream{left: 4, open: func() (grpc.ClientStream, context.CancelFunc, error) {
		attempt, cancel := context.WithTimeout(ctx, time.Minute)
		stream, err := open(attempt, desc, cc, method, opts...)
		return stream, cancel, err
	}}
	return s, s.reopen()
}

type retriedStream struct {
	grpc.ClientStream

	left    int
	open    func() (grpc.ClientStream, context.CancelFunc, error)
	cancel  context.CancelFunc
	request any
}

func (s *retriedStream) reopen() (err error) {
	s.left--
	s.ClientStream, s.cancel, err = s.open()
	return err
}

func (s *retriedStream) SendMsg(m any) error {
	s.request = m
	return s.ClientStream.SendMsg(m)
}

func (s *retriedStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if status.Code(err) != codes.Unavailable || s.left == 0 {
		return err
	}
	s.cancel()
	if err := s.reopen(); err != nil {
		return err
	}
	if err := s.ClientStream.SendMsg(s.request); err != nil {
		return err
	}
	return s.RecvMsg(m)
}
