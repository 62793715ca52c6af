package otelproducer

import (
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/exphist"
	"github.com/vitals-go/vitals/otel/internal/semconv"
)

// exponentialDurations returns one point of each method.
func exponentialDurations(snapshot *interceptor.Snapshot, attributes *semconv.Cache) metricdata.Aggregation {
	var points []metricdata.ExponentialHistogramDataPoint[float64]
	for name, methods := range semconv.ByName(snapshot.Methods) {
		point := metricdata.ExponentialHistogramDataPoint[float64]{
			Attributes: attributes.Method(name), StartTime: snapshot.Started, Time: snapshot.Time, Scale: exphist.Scale,
		}
		var sum time.Duration
		var total []uint64
		for i := range methods {
			h := &methods[i].Total.Latency
			sum += h.Sum
			total = append(total, make([]uint64, max(len(h.Counts)-len(total), 0))...)
			for bucket, n := range h.Counts {
				total[bucket] += n
			}
		}
		point.Sum = sum.Seconds()
		point.PositiveBucket, point.Count = convert(total)
		if point.Count > 0 {
			point.Exemplars = exemplars(methods, func(*interceptor.Exemplar) bool { return true })
			points = append(points, point)
		}
	}
	if len(points) == 0 {
		return nil
	}
	return metricdata.ExponentialHistogram[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality}
}

// convert adds each of the recorder's buckets to one exponential bucket, always the same one, so that no count decreases.
func convert(counts []uint64) (bucket metricdata.ExponentialBucket, total uint64) {
	for i, n := range counts {
		if n == 0 {
			continue
		}
		index := int32(exphist.Index(i, interceptor.BucketBound)) - 1 // OpenTelemetry names a bucket by its lower bound
		if bucket.Counts == nil {
			bucket.Offset = index
		}
		for index >= bucket.Offset+int32(len(bucket.Counts)) {
			bucket.Counts = append(bucket.Counts, 0)
		}
		bucket.Counts[index-bucket.Offset] += n
		total += n
	}
	return bucket, total
}
