package otelproducer_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/otel/otelproducer"
)

// quantile returns the value of that rank by the definition of exponential buckets: the geometric middle of the bucket
// that holds it.
func quantile(p metricdata.ExponentialHistogramDataPoint[float64], rank uint64) float64 {
	base := math.Pow(2, math.Pow(2, -float64(p.Scale)))
	for i, n := range p.PositiveBucket.Counts {
		if rank < n {
			return math.Pow(base, float64(p.PositiveBucket.Offset)+float64(i)+0.5)
		}
		rank -= n
	}
	return math.NaN()
}

// As package otelproducer documents: exact counts and sums, quantiles with an error below 18 %.
func TestExponentialQuantilesAreWithinTheDocumentedError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 4))
		recorder := newRecorder(t)
		var all []time.Duration
		var sum time.Duration
		for i := range 5000 {
			took := time.Duration(100 * math.Pow(10, 9*random.Float64())) // 100 ns to 100 s
			all = append(all, took)
			sum += took
			post(recorder, false, "Get", []codes.Code{codes.OK, codes.Internal}[i%2], took)
		}
		slices.Sort(all)
		data := collect(t, attach(t, otelproducer.Config{Exponential: true}, recorder))["rpc.server.call.duration"].Data
		points := data.(metricdata.ExponentialHistogram[float64]).DataPoints
		if len(points) != 1 {
			t.Fatalf("%d points, want one for all codes of the method", len(points))
		}
		p := points[0]
		var buckets uint64
		for _, n := range p.PositiveBucket.Counts {
			buckets += n
		}
		if p.Count != 5000 || buckets != 5000 || !near(p.Sum, sum.Seconds()) {
			t.Errorf("%d calls in %d bucket entries, %v s; want 5000, 5000 and %v", p.Count, buckets, p.Sum, sum.Seconds())
		}
		if _, found := p.Attributes.Value("rpc.status_code"); found {
			t.Error("a point of all codes carries one")
		}
		for rank := range all {
			if off := quantile(p, uint64(rank))/all[rank].Seconds() - 1; off > 0.18 || off < -0.18 {
				t.Fatalf("the value of rank %d is off by %.1f %%", rank, 100*off)
			}
		}
	})
}

func TestExponentialCountsNeverDecrease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(5, 6))
		recorder := newRecorder(t)
		reader := attach(t, otelproducer.Config{Exponential: true}, recorder)
		last := map[int32]uint64{}
		for range 200 {
			post(recorder, false, "Get", codes.OK, time.Duration(random.Int64()>>(20+random.IntN(43))))
			p := collect(t, reader)["rpc.server.call.duration"].Data.(metricdata.ExponentialHistogram[float64]).DataPoints[0]
			now := map[int32]uint64{}
			for i, n := range p.PositiveBucket.Counts {
				now[p.PositiveBucket.Offset+int32(i)] = n
			}
			for index, n := range last {
				if now[index] < n {
					t.Fatalf("bucket %d decreased from %d to %d", index, n, now[index])
				}
			}
			last = now
		}
	})
}

func TestExponentialExtremes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, took := range []time.Duration{0, 1, 100, 100 * time.Second, 101 * time.Second, time.Hour} {
			recorder := newRecorder(t)
			post(recorder, false, "Get", codes.OK, took)
			p := collect(t, attach(t, otelproducer.Config{Exponential: true}, recorder))["rpc.server.call.duration"].
				Data.(metricdata.ExponentialHistogram[float64]).DataPoints[0]
			want := min(max(took.Seconds(), 1e-7), 100)
			if off := quantile(p, 0)/want - 1; p.Count != 1 || off > 0.18 || off < -0.18 {
				t.Errorf("%v is exported as %v s", took, quantile(p, 0))
			}
		}
	})
}
