package otelproducer

import (
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// checkDurations makes one point of each check. They count since the report says that the process began, or since they
// were attached if it does not say.
func checkDurations(report *servicer.Report, attached time.Time) metricdata.Metrics {
	start := report.Started
	if start.IsZero() {
		start = attached
	}
	m := metricdata.Metrics{Name: "vitals.check.duration", Description: "How long the runs of a check took.", Unit: "s"}
	points := make([]metricdata.HistogramDataPoint[float64], 0, len(report.Checks))
	now := time.Now()
	for _, result := range report.Checks {
		point := metricdata.HistogramDataPoint[float64]{
			Attributes: attribute.NewSet(attribute.String("vitals.check.name", strings.ToValidUTF8(result.Name, "\uFFFD"))),
			StartTime:  start,
			Time:       now,
			Bounds:     checker.DurationBounds(),
			Sum:        result.Runs.Sum.Seconds(),
		}
		for _, n := range result.Runs.Durations() {
			point.BucketCounts = append(point.BucketCounts, n)
			point.Count += n
		}
		points = append(points, point)
	}
	if len(points) > 0 {
		m.Data = metricdata.Histogram[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality}
	}
	return m
}
