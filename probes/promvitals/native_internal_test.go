package promvitals

import (
	"math"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/exphist"
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
