package otelproducer_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/clocktest"
	"github.com/vitals-go/vitals/otel/otelproducer"
	"github.com/vitals-go/vitals/servicer"
)

// TestPointsDoNotStartAfterTheirTime sets the wall clock back by an hour: backends refuse such points.
func TestPointsDoNotStartAfterTheirTime(t *testing.T) {
	for _, exponential := range []bool{false, true} {
		recorder := newRecorder(t)
		post(recorder, false, "Place", codes.OK, 0)
		r := &servicer.Report{Started: time.Now(), Checks: []*checker.Result{{Name: "database"}}}
		clocktest.Set(recorder, -time.Hour)
		clocktest.Set(r, -time.Hour)
		producer := otelproducer.New(otelproducer.Config{Exponential: exponential})
		if err := producer.Attach(staticSource{r}, recorder); err != nil {
			t.Fatal(err)
		}
		points := 0
		want := func(name string, start, at time.Time) {
			points++
			if start.Round(0).After(at.Add(time.Second).Round(0)) {
				t.Errorf("%s from %v to %v", name, start, at)
			}
		}
		for name, m := range collect(t, reader(producer)) {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				want(name, data.DataPoints[0].StartTime, data.DataPoints[0].Time)
			case metricdata.ExponentialHistogram[float64]:
				want(name, data.DataPoints[0].StartTime, data.DataPoints[0].Time)
			}
		}
		if points != 2 {
			t.Errorf("%d points, want one of a check and one of calls", points)
		}
	}
}
