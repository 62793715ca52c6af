package servicer_test

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// TestReportStreamShowsManualStatusWithoutRun uses a Server like grpc-go's health.Server: Run is not called, and only
// the stream follows its reports.
func TestReportStreamShowsManualStatusWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		s.SetServingStatus("shop.v1.Orders", serving)
		client, stop := reporting(t, overMemory(t), s)
		defer stop()
		stream, err := client.WatchHealthReport(t.Context(), &vitalspb.WatchHealthReportRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []servingStatus{serving, notServing} {
			response, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if name := response.Names[len(response.Names)-2]; name.Name != "shop.v1.Orders" || name.Status != want.String() {
				t.Errorf("got %v, want %v", response.Names, want)
			}
			s.SetServingStatus("shop.v1.Orders", notServing)
		}
	})
}

func TestMaintenanceEndsWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{Services: []string{"shop.v1.Orders"}})
		if err := s.SetMaintenance("shop.v1.Orders", "moving house", time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - time.Second)
		if check(t, s, "shop.v1.Orders") != stoodDown {
			t.Error("it has ended too soon")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if check(t, s, "shop.v1.Orders") != serves || len(s.Report().Maintenance) != 0 {
			t.Errorf("it never ends: %+v", s.Report().Maintenance)
		}
	})
}

func TestReportStreamSendsEachReportOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		client, stop := reporting(t, overMemory(t), s)
		defer stop()
		s.SetServingStatus("shop.v1.Orders", serving)
		stream, err := client.WatchHealthReport(t.Context(), &vitalspb.WatchHealthReportRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var revisions []uint64
		go func() {
			for {
				response, err := stream.Recv()
				if err != nil {
					return
				}
				revisions = append(revisions, response.Revision)
			}
		}()
		for _, status := range []servingStatus{notServing, serving} {
			time.Sleep(time.Minute)
			s.SetServingStatus("shop.v1.Orders", status)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(revisions, []uint64{2, 3, 4}) {
			t.Errorf("got the revisions %v, want 2, 3, 4", revisions)
		}
	})
}

// TestManualStatusSinceWhenItWasSet reads the report long after a status was set.
func TestManualStatusIsReportedSinceItWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{Services: []string{"shop.v1.Orders"}})
		began := time.Now()
		time.Sleep(time.Hour)
		s.SetServingStatus("shop.v1.Orders", notServing)
		time.Sleep(time.Hour)
		newest := s.Report().Transitions[0]
		if !newest.At.Equal(began.Add(time.Hour)) || newest.PreviousFor != time.Hour {
			t.Errorf("the transition is at %v after %v, want after 1h", newest.At.Sub(began), newest.PreviousFor)
		}
	})
}

func TestRenewedMaintenanceIsPublished(t *testing.T) {
	s := newServer(t, servicer.Config{Services: []string{"a.A"}})
	renew := func(reason string, d time.Duration) servicer.Maintenance {
		t.Helper()
		changed := s.Changed()
		if err := s.SetMaintenance("a.A", reason, d); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		default:
			t.Errorf("%s for %v: readers are not notified", reason, d)
		}
		m := s.Report().Maintenance[0]
		if m.Reason != reason {
			t.Errorf("the report has the reason %q, want %q", m.Reason, reason)
		}
		return m
	}
	first := renew("moving house", time.Hour)
	if m := renew("moving house", 2*time.Hour); m.Until.Sub(first.Until) < time.Hour {
		t.Errorf("ends at %v, want an hour after %v", m.Until, first.Until)
	}
	renew("moving again", 2*time.Hour)
}

func TestRenewedMaintenanceKeepsOneTimer(t *testing.T) {
	s := newServer(t, servicer.Config{Services: []string{"a.A"}})
	const renewals = 5000
	objects := func() uint64 {
		for i := range renewals {
			if err := s.SetMaintenance("a.A", "moving house", time.Hour+time.Duration(i)); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapObjects
	}
	before := objects()
	if after := objects(); after > before+renewals {
		t.Errorf("%d renewals keep %d objects", renewals, after-before)
	}
}
