package promvitals

import (
	"math"

	dto "github.com/prometheus/client_model/go"

	"github.com/vitals-go/vitals/interceptor"
)

const (
	// nativeSchema 3 divides an octave into 8 buckets, each 9.05 % wide. client_golang uses it for its usual factor 1.1,
	// so that both can be added without loss.
	nativeSchema = 3
	// nativeZero is client_golang's width of the zero bucket, which is always empty here.
	nativeZero = 2.938735877055719e-39
)

// nativeIndex returns the native bucket that holds the geometric middle of one of the recorder's buckets, from which an
// observation differs by at most 8.4 %. Calls below 100 ns count as 100 ns, calls above 100 s as just above.
func nativeIndex(bucket int) int {
	upper := interceptor.BucketBound(bucket).Seconds()
	middle := upper
	if bucket > 0 {
		lower := interceptor.BucketBound(bucket - 1).Seconds()
		middle = math.Sqrt(lower * upper)
		if interceptor.BucketBound(bucket) == math.MaxInt64 {
			middle = math.Nextafter(lower, upper)
		}
	}
	return int(math.Ceil(math.Log2(middle) * (1 << nativeSchema)))
}

// fillNative adds h as a native histogram: https://prometheus.io/docs/specs/native_histograms/.
func fillNative(out *dto.Histogram, h *interceptor.Histogram) {
	schema, threshold, zeros := int32(nativeSchema), nativeZero, uint64(0)
	out.Schema, out.ZeroThreshold, out.ZeroCount = &schema, &threshold, &zeros
	last, before := 0, int64(0) // the last bucket written, and its count
	for bucket, n := range h.Counts {
		if n == 0 {
			continue
		}
		index, end := nativeIndex(bucket), len(out.PositiveSpan)-1
		switch gap := index - last - 1; {
		case end >= 0 && gap < 0: // two of the recorder's buckets fall into one native bucket
			out.PositiveDelta[len(out.PositiveDelta)-1] += int64(n)
			before += int64(n)
			continue
		case end >= 0 && gap == 0:
			*out.PositiveSpan[end].Length++
		default:
			offset, length := int32(gap), uint32(1)
			if end < 0 {
				offset = int32(index) // the first offset counts from 0
			}
			out.PositiveSpan = append(out.PositiveSpan, &dto.BucketSpan{Offset: &offset, Length: &length})
		}
		out.PositiveDelta = append(out.PositiveDelta, int64(n)-before)
		last, before = index, int64(n)
	}
	if len(out.PositiveSpan) == 0 { // an empty span marks a native histogram
		out.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32), Length: new(uint32)}}
	}
}
