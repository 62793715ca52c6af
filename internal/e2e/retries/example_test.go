package retries_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"github.com/hashicorp/go-retryablehttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
	"github.com/vitals-go/vitals/breaker/httpbreaker"
)

// open returns a breaker that rejects calls for a minute.
func open() *breaker.Breaker {
	b, err := breaker.New(breaker.Config{Name: "payments"})
	if err != nil {
		log.Fatal(err)
	}
	b.TripFor(time.Minute)
	return b
}

// go-grpc-middleware: the retry interceptors come first, so that they are outside of the breaker.
func Example_goGRPCMiddleware() {
	b := open()
	guard, err := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if err != nil {
		log.Fatal(err)
	}
	retries := []retry.CallOption{
		retry.WithMax(5), retry.WithBackoff(retry.BackoffExponentialWithJitter(100*time.Millisecond, 0.1)),
		retry.WithRetriable(breaker.Retryable),
	}
	options := append([]grpc.DialOption{
		grpc.WithChainUnaryInterceptor(retry.UnaryClientInterceptor(retries...)),
		grpc.WithChainStreamInterceptor(retry.StreamClientInterceptor(retries...)),
	}, guard.DialOptions()...)
	conn, err := grpc.NewClient("dns:///localhost:50051", append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	_, err = pb.NewTestServiceClient(conn).EmptyCall(context.Background(), &pb.Empty{})
	fmt.Println(breaker.IsRejected(err), b.Snapshot().Calls.Rejected)
	// Output: true 1
}

func Example_failsafeGo() {
	ctx, b := context.Background(), open()
	policy := retrypolicy.NewBuilder[string]().WithMaxAttempts(5).WithBackoff(100*time.Millisecond, 2*time.Second).
		HandleIf(func(_ string, err error) bool { return breaker.Retryable(err) }).Build()
	receipt, err := failsafe.With(policy).Get(func() (string, error) {
		return breaker.Do(ctx, b, charge)
	})
	_ = receipt
	fmt.Println(breaker.IsRejected(err), b.Snapshot().Calls.Rejected)
	// Output: true 1
}

func Example_cenkaltiBackoff() {
	ctx, b := context.Background(), open()
	receipt, err := backoff.Retry(ctx, func() (string, error) {
		receipt, err := breaker.Do(ctx, b, charge)
		if err != nil && !breaker.Retryable(err) {
			return "", backoff.Permanent(err)
		}
		return receipt, err
	}, backoff.WithMaxTries(5))
	_ = receipt
	fmt.Println(breaker.IsRejected(err), b.Snapshot().Calls.Rejected)
	// Output: true 1
}

func Example_hashicorpRetryableHTTP() {
	b := open()
	transport, err := httpbreaker.New(httpbreaker.Config{Breaker: b})
	if err != nil {
		log.Fatal(err)
	}
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient.Transport = transport
	client.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if err != nil && !breaker.Retryable(err) {
			return false, err
		}
		return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	}
	resp, err := client.Get("http://localhost:1/prices")
	if err == nil {
		resp.Body.Close()
	}
	fmt.Println(breaker.IsRejected(err), b.Snapshot().Calls.Rejected)
	// Output: true 1
}

func charge(context.Context) (string, error) { return "receipt", nil }
