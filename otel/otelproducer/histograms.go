package otelproducer

import (
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/internal/exphist"
	"github.com/vitals-go/vitals/internal/wallclock"
	"github.com/vitals-go/vitals/otel/internal/semconv"
	"github.com/vitals-go/vitals/servicer"
)

// checkDurations returns one point of each check. They count since the start of the process, or since start if the report
// has none, up to now: backends refuse or hide points of the past.
func checkDurations(report *servicer.Report, start time.Time) metricdata.Aggregation {
	if !report.Started.IsZero() {
		start = report.Started
	}
	now, bounds := time.Now(), checker.DurationBounds()
	start = wallclock.Start(now, start)
	var points []metricdata.HistogramDataPoint[float64]
	for _, result := range report.Checks {
		point := metricdata.HistogramDataPoint[float64]{
			Attributes: attribute.NewSet(attribute.String("vitals.check.name", errtext.Valid(result.Name))),
			StartTime:  start, Time: now, Bounds: bounds, Sum: result.Runs.Sum.Seconds(),
		}
		for _, n := range result.Runs.Durations() {
			point.BucketCounts = append(point.BucketCounts, n)
			point.Count += n
		}
		points = append(points, point)
	}
	return explicit(points)
}

// callDurations returns one point of each method and each code that it has ended with.
func callDurations(side semconv.Side, snapshot *interceptor.Snapshot, attributes *semconv.Cache) metricdata.Aggregation {
	var points []metricdata.HistogramDataPoint[float64]
	for name, methods := range semconv.ByName(snapshot.Methods) {
		for code := range codes.Code(interceptor.NumCodes) {
			if point := callPoint(methods, code); point.Count > 0 {
				point.Attributes = attributes.Calls(side, name, code)
				point.StartTime, point.Time = wallclock.Start(snapshot.Time, snapshot.Started), snapshot.Time
				point.Exemplars = exemplars(methods, func(e *interceptor.Exemplar) bool { return e.Code == code })
				points = append(points, point)
			}
		}
	}
	return explicit(points)
}

// codeBounds are the bounds of all points of calls; read-only.
var codeBounds = interceptor.CodeBounds()

// callPoint adds up the calls of methods that ended with code.
func callPoint(methods []interceptor.Method, code codes.Code) (point metricdata.HistogramDataPoint[float64]) {
	point.Bounds, point.BucketCounts = codeBounds, make([]uint64, len(codeBounds)+1)
	var sum time.Duration
	for i := range methods {
		l := methods[i].LatencyOf(code)
		sum += l.Sum
		for bucket, n := range l.Counts {
			point.BucketCounts[bucket] += n
			point.Count += n
		}
	}
	point.Sum = sum.Seconds()
	return point
}

// explicit returns nil without points.
func explicit(points []metricdata.HistogramDataPoint[float64]) metricdata.Aggregation {
	if len(points) == 0 {
		return nil
	}
	return metricdata.Histogram[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality}
}

// exponentialDurations returns one point of each method.
func exponentialDurations(snapshot *interceptor.Snapshot, attributes *semconv.Cache) metricdata.Aggregation {
	var points []metricdata.ExponentialHistogramDataPoint[float64]
	for name, methods := range semconv.ByName(snapshot.Methods) {
		point := metricdata.ExponentialHistogramDataPoint[float64]{
			Attributes: attributes.Method(name), StartTime: wallclock.Start(snapshot.Time, snapshot.Started), Time: snapshot.Time, Scale: exphist.Scale,
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

// exemplars returns those of methods that belong to a point.
func exemplars(methods []interceptor.Method, belongs func(*interceptor.Exemplar) bool) (list []metricdata.Exemplar[float64]) {
	for i := range methods {
		for j := range methods[i].Exemplars {
			if e := &methods[i].Exemplars[j]; belongs(e) {
				list = append(list, exemplar(e))
			}
		}
	}
	return list
}

// exemplar converts e. Labels that are no identity of W3C's trace context become attributes.
func exemplar(e *interceptor.Exemplar) metricdata.Exemplar[float64] {
	out := metricdata.Exemplar[float64]{Time: e.Time, Value: e.Latency.Seconds()}
	for _, name := range slices.Sorted(maps.Keys(e.Labels)) {
		value := e.Labels[name]
		id, err := hex.DecodeString(value)
		switch {
		case err == nil && name == "trace_id" && len(id) == 16:
			out.TraceID = id
		case err == nil && name == "span_id" && len(id) == 8:
			out.SpanID = id
		default:
			out.FilteredAttributes = append(out.FilteredAttributes, attribute.String(errtext.Valid(name), errtext.Valid(value)))
		}
	}
	return out
}
