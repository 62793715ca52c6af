package servicer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
)

func ExampleServer_StatusChanges() {
	s, err := servicer.New(servicer.Config{Services: []string{"shop.v1.Orders"}, DrainDelay: -1})
	if err != nil {
		panic(err)
	}
	for status := range s.StatusChanges(context.Background(), "shop.v1.Orders") {
		fmt.Println(status)
		_ = s.Drain(context.Background()) // ends the loop
	}
	// Output:
	// SERVING
	// NOT_SERVING
}

func ExampleServer_RemoveServingStatus() {
	s, err := servicer.New(servicer.Config{})
	if err != nil {
		panic(err)
	}
	s.SetServingStatus("tenant-7", healthpb.HealthCheckResponse_SERVING)
	s.RemoveServingStatus("tenant-7")
	_, err = s.Check(context.Background(), &healthpb.HealthCheckRequest{Service: "tenant-7"})
	fmt.Println(status.Code(err))
	// Output: NotFound
}

// follow collects what StatusChanges yields, in a goroutine. The channel is closed at its end.
func follow(ctx context.Context, s *servicer.Server, name string) <-chan servingStatus {
	statuses := make(chan servingStatus, 100)
	go func() {
		defer close(statuses)
		for status := range s.StatusChanges(ctx, name) {
			statuses <- status
		}
	}()
	return statuses
}

// received returns what has been sent until now.
func received(statuses <-chan servingStatus) (all []servingStatus) {
	synctest.Wait()
	for len(statuses) > 0 {
		all = append(all, <-statuses)
	}
	return all
}

func TestStatusChangesFollowsOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{DrainDelay: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		orders, ready, canceled := follow(t.Context(), s, "orders"), follow(t.Context(), s, "readiness"), follow(ctx, s, "orders")
		expect := func(what string, wantOrders, wantReady []servingStatus) {
			t.Helper()
			if got := received(orders); !slices.Equal(got, wantOrders) {
				t.Errorf("%s: orders %v, want %v", what, got, wantOrders)
			}
			if got := received(ready); !slices.Equal(got, wantReady) {
				t.Errorf("%s: readiness %v, want %v", what, got, wantReady)
			}
		}
		expect("at once", []servingStatus{serviceUnknown}, []servingStatus{serving})
		s.SetServingStatus("orders", serving)
		expect("set", []servingStatus{serving}, nil)
		s.SetServingStatus("orders", notServing)
		expect("changed", []servingStatus{notServing}, nil)
		s.SetServingStatus("other", notServing)
		s.SetServingStatus("orders", notServing)
		expect("nothing new", nil, nil)
		s.RemoveServingStatus("orders")
		expect("removed", []servingStatus{serviceUnknown}, nil)
		cancel()
		if got := received(canceled); len(got) != 4 {
			t.Errorf("the canceled reader has %v, want what the others have", got)
		}
		if _, open := <-canceled; open {
			t.Error("a canceled context does not end the loop")
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect("drained", []servingStatus{notServing}, []servingStatus{notServing})
		for _, c := range []<-chan servingStatus{orders, ready, follow(t.Context(), s, "late")} {
			for got := range c {
				if got != notServing {
					t.Errorf("%v after the drain", got)
				}
			}
		}
		for range s.StatusChanges(ctx, "orders") {
			t.Error("a status for a context that is done")
		}
	})
}

func TestRemovedManualStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{Services: []string{"shop.v1.Orders"}})
		watch := follow(t.Context(), s, "tenant-7")
		for _, name := range []string{"tenant-7", "shop.v1.Orders", "readiness"} {
			s.SetServingStatus(name, notServing)
		}
		for _, name := range []string{"tenant-7", "shop.v1.Orders", "", "never set", "liveness"} {
			s.RemoveServingStatus(name)
		}
		for _, name := range []string{"shop.v1.Orders", "", "readiness", "liveness"} {
			if got := check(t, s, name); got != serving {
				t.Errorf("%q is %v, want SERVING", name, got)
			}
			if n, _ := s.Report().Lookup(name); n.Status != serving || len(n.Causes) != 0 {
				t.Errorf("%q is reported as %v because of %v", name, n.Status, n.Causes)
			}
		}
		_, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "tenant-7"})
		if _, reported := s.Report().Lookup("tenant-7"); status.Code(err) != codes.NotFound || reported {
			t.Errorf("Check of a removed name: %v; in the report: %v", err, reported)
		}
		if list, err := s.List(t.Context(), nil); err != nil || len(list.Statuses) != 2 {
			t.Errorf("List returns %v, %v; want \"\" and shop.v1.Orders", list.GetStatuses(), err)
		}
		if got, want := received(watch), []servingStatus{serviceUnknown}; !slices.Equal(got, want) && len(got) != 3 {
			t.Errorf("the watch received %v", got)
		}
		s.SetServingStatus("tenant-7", serving)
		if got := check(t, s, "tenant-7"); got != serving {
			t.Errorf("a name that was removed and set again is %v", got)
		}
		s.Shutdown()
		s.RemoveServingStatus("tenant-7")
		if got := check(t, s, "tenant-7"); got != notServing {
			t.Errorf("after Shutdown a name is %v, want NOT_SERVING", got)
		}
		_ = s.Drain(t.Context())
	})
}

// TestRemovalEvaluatesItsNameOnly removes many names: the report is assembled when it is read.
func TestRemovalEvaluatesItsNameOnly(t *testing.T) {
	s := newServer(t, servicer.Config{})
	for n := range 10_000 {
		s.SetServingStatus(fmt.Sprint("tenant-", n), serving)
	}
	before := s.Report().Revision
	for n := range 10_000 {
		s.RemoveServingStatus(fmt.Sprint("tenant-", n))
	}
	if got := s.Report(); got.Revision != before+1 || len(got.Names) != 4 {
		t.Errorf("revision %d with %d names, want %d with 4", got.Revision, len(got.Names), before+1)
	}
}

// TestReportAndCheckAgreeAfterRemovals compares the names of the report with Check after random operations.
func TestReportAndCheckAgreeAfterRemovals(t *testing.T) {
	names := []string{"", "readiness", "liveness", "shop.v1.Orders", "a", "b", "c"}
	for seed := range uint64(50) {
		dice := rand.New(rand.NewPCG(seed, 1))
		s := newServer(t, servicer.Config{Services: []string{"shop.v1.Orders"}})
		set := map[string]bool{}
		for range 40 {
			name := names[dice.IntN(len(names))]
			switch dice.IntN(10) {
			case 0, 1, 2, 3:
				s.SetServingStatus(name, []servingStatus{serving, notServing}[dice.IntN(2)])
				set[name] = true
			case 4, 5, 6:
				s.RemoveServingStatus(name)
				delete(set, name)
			case 7:
				_ = s.AddServices("a")
			case 8:
				s.Resume()
			default:
				continue // before the report is read
			}
			report := s.Report()
			for _, name := range names {
				got, err := s.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
				n, reported := report.Lookup(name)
				if reported != (err == nil) || reported && got.Status != n.Status {
					t.Fatalf("seed %d: %q: Check returns %v, %v, the report has %v (%v)", seed, name, got, err, n.Status, reported)
				}
				if set[name] && !reported {
					t.Fatalf("seed %d: %q was set and is unknown", seed, name)
				}
			}
		}
	}
}
