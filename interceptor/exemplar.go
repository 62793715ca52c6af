package interceptor

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

// Exemplar is one call that represents others of similar latency. It does not change.
type Exemplar struct {
	// Labels are what Config.Exemplar returned, never empty. Read-only.
	Labels  map[string]string
	Latency time.Duration
	Code    codes.Code
	// Time is when the call ended.
	Time time.Time

	at time.Duration // Time, since the Recorder was created
}

// exemplarAge is the age from which an exemplar is replaced. Scrapes are further apart and read the newest only.
const exemplarAge = time.Second

// exemplarSteps is the number of latency steps with exemplars: up to 1, 2.5 and 5 of every decade, the bounds of
// Prometheus' default buckets, and above 100 s.
const exemplarSteps = 3*decades + 2

// exemplarStep maps an index of Histogram.Counts to its step. Read-only.
var exemplarStep = func() (table [buckets]uint8) {
	for i := 1; i < buckets; i++ {
		table[i] = table[i-1]
		switch steps[(i-1)%len(steps)] {
		case stepUnit, stepUnit * 5 / 2, stepUnit * 5:
			table[i]++
		}
	}
	return table
}()

// exemplars are the newest of a method: one row for calls with OK and one for others, which would be lost among them.
type exemplars [2][exemplarSteps]atomic.Pointer[Exemplar]

// recordExemplar stores the call as an exemplar if there is no young one and Config.Exemplar returns labels.
func (r *Recorder) recordExemplar(ctx context.Context, c *call, code codes.Code, now time.Duration) {
	row, latency := 0, now-c.start
	if code != codes.OK {
		row = 1
	}
	place := &loadOrStore(&c.method.exemplars)[row][exemplarStep[bucketOf(latency)]]
	old := place.Load()
	if old != nil && now-old.at < exemplarAge {
		return
	}
	if labels := r.exemplarLabels(ctx); len(labels) > 0 {
		// If a concurrent call was faster, its exemplar stays.
		place.CompareAndSwap(old, &Exemplar{Labels: labels, Latency: latency, Code: code, Time: time.Now(), at: now})
	}
}

func (r *Recorder) exemplarLabels(ctx context.Context) map[string]string {
	defer r.exemplarPanic.recovered(ctx, r.log, "Exemplar")
	return r.config.Exemplar(ctx)
}

// appendExemplars appends the exemplars of the method to list, by latency.
func (m *method) appendExemplars(list []Exemplar) []Exemplar {
	all := m.exemplars.Load()
	if all == nil {
		return list
	}
	for step := range exemplarSteps {
		for row := range all {
			if e := all[row][step].Load(); e != nil {
				list = append(list, *e)
			}
		}
	}
	return list
}
