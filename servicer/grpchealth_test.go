package servicer_test

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
)

// The tests of grpc-go's package health, by its public surface, run against its server and ours.

func onBoth(t *testing.T, run func(t *testing.T, s subject)) {
	t.Helper()
	t.Run("grpc-go", func(t *testing.T) { run(t, health.NewServer()) })
	t.Run("ours", func(t *testing.T) { run(t, newServer(t, servicer.Config{})) })
}

func statusOf(t *testing.T, s subject, name string) servingStatus {
	t.Helper()
	response, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
	if err != nil {
		t.Fatal(err)
	}
	return response.Status
}

func TestGrpcHealthRegister(t *testing.T) {
	onBoth(t, func(_ *testing.T, s subject) {
		server := grpc.NewServer()
		healthpb.RegisterHealthServer(server, s)
		server.Stop()
	})
}

func TestGrpcHealthShutdown(t *testing.T) {
	onBoth(t, func(t *testing.T, s subject) {
		const service = "tteesstt"
		s.SetServingStatus(service, serving)
		if got := statusOf(t, s, service); got != serving {
			t.Fatalf("status is %v, want SERVING", got)
		}
		var group sync.WaitGroup
		group.Go(func() {
			for range 1000 {
				s.SetServingStatus(service, serving)
				time.Sleep(time.Microsecond)
			}
		})
		group.Go(func() {
			time.Sleep(300 * time.Microsecond)
			s.Shutdown()
		})
		group.Wait()
		if got := statusOf(t, s, service); got != notServing {
			t.Fatalf("status after Shutdown is %v, want NOT_SERVING", got)
		}
		s.Resume()
		if got := statusOf(t, s, service); got != serving {
			t.Fatalf("status after Resume is %v, want SERVING", got)
		}
		s.SetServingStatus(service, notServing)
		if got := statusOf(t, s, service); got != notServing {
			t.Fatalf("status is %v, want NOT_SERVING", got)
		}
	})
}

func TestGrpcHealthList(t *testing.T) {
	onBoth(t, func(t *testing.T, s subject) {
		for n := range 3 {
			s.SetServingStatus(fmt.Sprint(n), servingStatus(n))
		}
		list, err := s.List(t.Context(), new(healthpb.HealthListRequest))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]servingStatus{"": serving, "0": 0, "1": serving, "2": notServing}
		got := make(map[string]servingStatus)
		for name, response := range list.Statuses {
			got[name] = response.Status
		}
		if !maps.Equal(got, want) {
			t.Errorf("List returns %v, want %v", got, want)
		}
	})
}

func TestGrpcHealthListResourceExhausted(t *testing.T) {
	onBoth(t, func(t *testing.T, s subject) {
		for n := range 100 {
			s.SetServingStatus(fmt.Sprint(n+1), serving)
		}
		_, err := s.List(t.Context(), new(healthpb.HealthListRequest))
		want := status.Errorf(codes.ResourceExhausted, "server health list exceeds maximum capacity: %d", 100)
		if !errors.Is(err, want) {
			t.Errorf("List returns %v, want %v", err, want)
		}
	})
}

// A refusal must not first copy ten thousand names.
func TestListRefusesWithoutReadingNames(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newServer(t, servicer.Config{})
	for i := range 10_000 {
		s.SetServingStatus(fmt.Sprint("service", i), serving)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.List(t.Context(), new(healthpb.HealthListRequest)); status.Code(err) != codes.ResourceExhausted {
			t.Error(err)
		}
	}); n > 1 {
		t.Errorf("a refused List allocates %v times", n)
	}
}

// TestListHasEveryNameThatWasSet sets names that are otherwise those of probes, and one that is reserved.
func TestListHasEveryNameThatWasSet(t *testing.T) {
	onBoth(t, func(t *testing.T, s subject) {
		for _, name := range []string{"liveness", "readiness", "startup", "none"} {
			s.SetServingStatus(name, serving)
		}
		list, err := s.List(t.Context(), new(healthpb.HealthListRequest))
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Statuses) != 5 {
			t.Errorf("List returns %v, want the five names", list.Statuses)
		}
	})
}
