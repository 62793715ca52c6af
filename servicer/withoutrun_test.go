package servicer_test

import (
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
