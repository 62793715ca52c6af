package promvitals

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/exphist"
	"github.com/vitals-go/vitals/servicer"
)

// Every duration that a recorder's bucket can hold is near the native bucket that it is counted in.
func TestNativeBucketIsWithinTheDocumentedError(t *testing.T) {
	width := math.Exp2(1. / (1 << exphist.Scale))
	previous := math.MinInt
	for bucket := 1; interceptor.BucketBound(bucket) != math.MaxInt64; bucket++ {
		index := exphist.Index(bucket, interceptor.BucketBound)
		if index < previous {
			t.Fatalf("bucket %d goes to %d, the one below to %d", bucket, index, previous)
		}
		previous = index
		upper := math.Exp2(float64(index) / (1 << exphist.Scale))
		lower := upper / width
		low, high := interceptor.BucketBound(bucket-1).Seconds(), interceptor.BucketBound(bucket).Seconds()
		if lower/low > 1.084 || high/upper > 1.084 {
			t.Errorf("(%v, %v] is counted in (%v, %v]", low, high, lower, upper)
		}
	}
}

func TestFirstAndLastNativeBucket(t *testing.T) {
	counts := make([]uint64, 1)
	for i := 0; interceptor.BucketBound(i) != math.MaxInt64; i++ {
		counts = append(counts, 0)
	}
	counts[0], counts[len(counts)-1] = 3, 5
	var out dto.Histogram
	fillNative(&out, &interceptor.Histogram{Counts: counts, Sum: time.Second})
	if len(out.GetPositiveSpan()) != 2 || out.GetPositiveDelta()[0] != 3 || out.GetPositiveDelta()[1] != 2 {
		t.Fatalf("%v", &out)
	}
	first := math.Exp2(float64(out.GetPositiveSpan()[0].GetOffset()) / 8)
	last := math.Exp2(float64(out.GetPositiveSpan()[0].GetOffset()+1+out.GetPositiveSpan()[1].GetOffset()) / 8)
	if first < 100e-9 || first > 110e-9 || last < 100 || last > 110 {
		t.Errorf("100 ns is counted below %v s, what is beyond 100 s below %v s", first, last)
	}
}

// Some native buckets hold two buckets of the recorder.
func TestNativeBucketsHoldAllCounts(t *testing.T) {
	want := map[int]int64{}
	var counts []uint64
	for i := 0; interceptor.BucketBound(i) != math.MaxInt64; i++ {
		counts = append(counts, uint64(i+1))
		want[exphist.Index(i, interceptor.BucketBound)] += int64(i + 1)
	}
	if len(want) == len(counts) {
		t.Fatal("no two buckets fall into one")
	}
	var out dto.Histogram
	fillNative(&out, &interceptor.Histogram{Counts: counts})
	index, deltas, n := 0, out.GetPositiveDelta(), int64(0)
	for _, span := range out.GetPositiveSpan() {
		index += int(span.GetOffset())
		for range span.GetLength() {
			n += deltas[0]
			if n != want[index] {
				t.Fatalf("bucket %d has %d, want %d", index, n, want[index])
			}
			delete(want, index)
			index, deltas = index+1, deltas[1:]
		}
	}
	if len(want) > 0 || len(deltas) > 0 {
		t.Errorf("missing %v, %d deltas too many", want, len(deltas))
	}
}

func TestLabelCachesForgetNamesThatAreRemoved(t *testing.T) {
	report := func(n int) *servicer.Report {
		r := new(servicer.Report)
		for i := range n {
			name := fmt.Sprintf("name-%03d", i)
			r.Names = append(r.Names, servicer.ServingName{Name: name})
			r.Breakers = append(r.Breakers, breaker.Snapshot{Name: name})
			r.Checks = append(r.Checks, &checker.Result{Name: name, Measurement: checker.Measurement{Value: 1, Unit: "%"}})
		}
		return r
	}
	var l healthLabels
	metrics := make(chan prometheus.Metric, 100_000)
	for _, n := range []int{1000, 10, 0} {
		l.collect(report(n), &emitter{metrics: metrics})
		for cache, kept := range map[string]int{
			"names": len(l.names.made), "checks": len(l.checks.made), "measurements": len(l.measurements.made), "breakers": len(l.breakers.made),
		} {
			if kept > 2*n {
				t.Errorf("%s: %d labels are kept for %d", cache, kept, n)
			}
		}
	}
}
