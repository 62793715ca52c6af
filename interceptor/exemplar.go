package interceptor

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

// Exemplar is one call that stands for others which took about as long. It never changes.
type Exemplar struct {
	// Labels are what Config.Exemplar returned: never empty, and not to be written to.
	Labels map[string]string
	// Latency of the call, and the Code that it ended with.
	Latency time.Duration
	Code    codes.Code
	// Time is when the call ended.
	Time time.Time
}

// exemplarPause is how old an exemplar is at least when it makes place for a newer one. Scrapes and exports are further
// apart than this, and take the newest only.
const exemplarPause = time.Second

// exemplarSteps is the number of steps of latency that have exemplars of their own: up to 1, 2.5 and 5 of every decade,
// which are the bounds of Prometheus' default buckets, and what is longer than 100 s.
const exemplarSteps = 3*decades + 2

// exemplarStep returns the step of an index of Histogram.Counts.
func exemplarStep(bucket int) int {
	switch bucket {
	case 0:
		return 0
	case bounded:
		return exemplarSteps - 1
	}
	below := bucket - 1
	step := 3 * (below / len(steps))
	switch low := steps[below%len(steps)]; { // the bound below, in its decade
	case low < stepUnit*5/2:
		return step + 1
	case low < stepUnit*5:
		return step + 2
	default:
		return step + 3
	}
}

// exemplars are a method's newest: the first row of calls that ended with OK, the second of the others, whose examples
// are wanted most and would be lost among the many good ones. Calls load the places, and write one once per pause.
type exemplars [2][exemplarSteps]atomic.Pointer[keptExemplar]

// keptExemplar is an Exemplar with the time since the recorder's birth, which is cheaper to compare.
type keptExemplar struct {
	Exemplar

	at time.Duration
}

// place returns where a call belongs.
func (e *exemplars) place(code codes.Code, took time.Duration) *atomic.Pointer[keptExemplar] {
	row := 0
	if code != codes.OK {
		row = 1
	}
	return &e[row][exemplarStep(bucketOf(took))]
}

// recordExemplar makes the call the example of its like, if there is none or an old one and the user knows what the call
// is an example of. It is called after the call has been counted, and only if Config.Exemplar is set.
func (r *Recorder) recordExemplar(ctx context.Context, c *call, code codes.Code, now time.Duration) {
	place := loadOrStore(&c.method.exemplars).place(code, now-c.start)
	old := place.Load()
	if old != nil && now-old.at < exemplarPause {
		return
	}
	labels := r.labelsOf(ctx)
	if len(labels) == 0 {
		return
	}
	// If another call was faster, that one is the example.
	place.CompareAndSwap(old, &keptExemplar{
		Exemplar: Exemplar{Labels: labels, Latency: now - c.start, Code: code, Time: time.Now().Round(0)}, at: now,
	})
}

// labelsOf asks the user. No handler is running any more that a Recovery would protect, so a panic of his function would
// end the process.
func (r *Recorder) labelsOf(ctx context.Context) map[string]string {
	defer func() {
		if p := recover(); p != nil {
			r.exemplarPanic.Do(func() {
				r.log.log(ctx, slog.LevelError, "interceptor: Config.Exemplar panics; told once", slog.Any("panic", p))
			})
		}
	}()
	return r.config.Exemplar(ctx)
}

// appendExemplars appends the method's exemplars to list, by latency.
func (m *method) appendExemplars(list []Exemplar) []Exemplar {
	all := m.exemplars.Load()
	if all == nil {
		return list
	}
	for step := range exemplarSteps {
		for row := range all {
			if e := all[row][step].Load(); e != nil {
				list = append(list, e.Exemplar)
			}
		}
	}
	return list
}
