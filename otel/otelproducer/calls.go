package otelproducer

import (
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
)

func (p *Producer) callDurations(side semconv.Side, snapshot *interceptor.Snapshot) metricdata.Metrics {
	m := metricdata.Metrics{
		Name: semconv.ServerCallDuration, Description: "Measures the duration of an incoming Remote Procedure Call (RPC).", Unit: "s",
	}
	attributes := &p.server
	if side == semconv.Client {
		attributes = &p.client
		m.Name, m.Description = semconv.ClientCallDuration, "Measures the duration of an outgoing Remote Procedure Call (RPC)."
	}
	if p.exponential {
		m.Data = exponential(snapshot, attributes)
	} else {
		m.Data = explicit(side, snapshot, attributes)
	}
	return m
}

// explicit makes one point of each method and each code that it has ended with.
func explicit(side semconv.Side, snapshot *interceptor.Snapshot, attributes *semconv.Cache) metricdata.Aggregation {
	var points []metricdata.HistogramDataPoint[float64]
	for name, methods := range semconv.ByName(snapshot.Methods) {
		for code := range codes.Code(interceptor.NumCodes) {
			if point, found := callPoint(methods, code); found {
				point.Attributes = attributes.Calls(side, name, code)
				point.StartTime, point.Time = snapshot.Started, snapshot.Time
				point.Exemplars = exemplars(methods, func(e *interceptor.Exemplar) bool { return e.Code == code })
				points = append(points, point)
			}
		}
	}
	if len(points) == 0 {
		return nil
	}
	return metricdata.Histogram[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality}
}

// codeBounds are the bounds of all points; read-only.
var codeBounds = interceptor.CodeBounds()

// callPoint adds up the calls of all methods that ended with code, if there are any.
func callPoint(methods []interceptor.Method, code codes.Code) (point metricdata.HistogramDataPoint[float64], found bool) {
	counts := make([]uint64, len(codeBounds)+1)
	var sum time.Duration
	for i := range methods {
		l := methods[i].LatencyOf(code)
		sum += l.Sum
		for bucket, n := range l.Counts {
			counts[bucket] += n
			point.Count += n
		}
	}
	if point.Count == 0 {
		return point, false
	}
	point.Bounds, point.BucketCounts, point.Sum = codeBounds, counts, sum.Seconds()
	return point, true
}
