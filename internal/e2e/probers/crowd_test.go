package probers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// A thousand probes a second get the right answer while a dependency hangs, because no answer waits for a check. The log
// has the times; nothing is asserted about them.
func TestCrowdOfProbersWhileADependencyHangs(t *testing.T) {
	s := newServer(t, "external_api")
	s.answers("/ready", http.StatusOK)
	s.prices.hangs.Store(true)
	select {
	case <-s.prices.hanging:
	case <-time.After(patience):
		t.Fatal("no check has asked the dependency")
	}
	// One connection for all that asks over gRPC; HTTP takes as many as it needs.
	conn, err := grpc.NewClient(testdeps.Addr(s.port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(path string) func(context.Context) error {
		return func(ctx context.Context) error {
			code, err := get(ctx, "http://"+testdeps.Addr(s.web)+path)
			if err == nil && code != http.StatusOK {
				err = fmt.Errorf("%s answers %d", path, code)
			}
			return err
		}
	}
	check := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			resp, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: name})
			if err == nil && resp.GetStatus() != healthpb.HealthCheckResponse_SERVING {
				err = fmt.Errorf("%s is %v", name, resp.GetStatus())
			}
			return err
		}
	}
	probes := []func(context.Context) error{
		ask("/live"), ask("/ready"), ask("/startup"), check("liveness"), check("readiness"), check("startup"),
	}
	crowd(t, 3*time.Second, 1000, probes)
	select {
	case <-s.prices.hanging: // Checks went on all the while, and hung.
	default:
		t.Error("the dependency was not asked again")
	}
}

// crowd asks at a fixed rate, whether or not earlier answers have come.
func crowd(t *testing.T, lasting time.Duration, perSecond int, probes []func(context.Context) error) {
	t.Helper()
	var mu sync.Mutex // guards took and failed
	var took []time.Duration
	failed := map[string]int{}
	var asking sync.WaitGroup
	begun := time.Now()
	every := time.NewTicker(time.Second / time.Duration(perSecond))
	defer every.Stop()
	for i := range perSecond * int(lasting/time.Second) {
		// A ticker drops what comes too late; the clock says when the next one is due.
		for time.Since(begun) < time.Duration(i)*time.Second/time.Duration(perSecond) {
			<-every.C
		}
		asking.Go(func() {
			asked := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := probes[i%len(probes)](ctx)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(asked))
			if err != nil {
				failed[err.Error()]++
			}
		})
	}
	asking.Wait()
	if len(failed) > 0 {
		t.Errorf("wrong answers, and how often: %v", failed)
	}
	slices.Sort(took)
	at := func(share float64) time.Duration {
		return took[int(share*float64(len(took)-1))].Round(time.Microsecond)
	}
	t.Logf("%d answers at %.0f a second: p50 %v, p99 %v, p99.9 %v, last %v", len(took),
		float64(len(took))/time.Since(begun).Seconds(), at(0.5), at(0.99), at(0.999), at(1))
}
