package otelproducer

import (
	"math"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
)

// scale makes buckets 9.05 % wide. The recorder's are up to 16.7 % wide, so a finer scale would only add empty ones.
const scale = 3

// exponential makes one point of each method.
func exponential(snapshot *interceptor.Snapshot, attributes *semconv.Cache) metricdata.Aggregation {
	var points []metricdata.ExponentialHistogramDataPoint[float64]
	for name, methods := range semconv.ByName(snapshot.Methods) {
		point := metricdata.ExponentialHistogramDataPoint[float64]{
			Attributes: attributes.Method(name), StartTime: snapshot.Started, Time: snapshot.Time, Scale: scale,
		}
		var sum time.Duration
		var total []uint64
		for i := range methods {
			h := &methods[i].Total.Latency
			sum += h.Sum
			total = plus(total, h.Counts)
		}
		point.Sum = sum.Seconds()
		point.PositiveBucket, point.Count = spread(total)
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

func plus(total, counts []uint64) []uint64 {
	if len(total) < len(counts) {
		total = append(total, make([]uint64, len(counts)-len(total))...)
	}
	for i, n := range counts {
		total[i] += n
	}
	return total
}

// spread puts each of the recorder's buckets, as a whole, into the exponential bucket that holds its geometric middle:
// always the same one, so that no count ever falls.
func spread(counts []uint64) (bucket metricdata.ExponentialBucket, total uint64) {
	for i, n := range counts {
		if n == 0 {
			continue
		}
		index := indexOf(middle(i))
		if bucket.Counts == nil {
			bucket.Offset = index
		}
		for index >= bucket.Offset+int32(len(bucket.Counts)) { // the indexes only grow with i
			bucket.Counts = append(bucket.Counts, 0)
		}
		bucket.Counts[index-bucket.Offset] += n
		total += n
	}
	return bucket, total
}

// indexOf returns the index of the exponential bucket that holds that many seconds: those above base^index and up to
// base^(index+1).
func indexOf(seconds float64) int32 {
	return int32(math.Ceil(math.Log2(seconds)*(1<<scale))) - 1
}

// middle returns the geometric middle of bucket i of a Histogram in seconds. The first begins at zero and the last ends
// nowhere: their one bound stands for all of them.
func middle(i int) float64 {
	upper := interceptor.BucketBound(i)
	if i == 0 {
		return upper.Seconds()
	}
	lower := interceptor.BucketBound(i - 1)
	if upper == math.MaxInt64 {
		return lower.Seconds() * (1 + 1e-9) // above it
	}
	return math.Sqrt(lower.Seconds() * upper.Seconds())
}
