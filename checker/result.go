package checker

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/unit"
)

// Result is the state of one check. It is plain data; a Result in a Snapshot never changes.
type Result struct {
	Name     string
	Kind     Kind
	Title    string
	Optional bool
	Shadow   bool
	// Gates is Check.Gates with its default applied: empty when the check gates nothing.
	Gates []string

	Status Status
	Reason Reason
	// Value is the metric's value in the report: available, degraded, unavailable, timeout, error, circuit_open, or the
	// measured number with one decimal. Empty before the first result.
	Value string
	// CausedBy is the check that explains this result, of those in DependsOn and what they depend on; empty if the result is
	// healthy or none of them fails. For as long as it takes to run such a check, after this one has failed, it is assumed to
	// fail too.
	CausedBy string
	// Message is public text made from Title, Value, Measurement and the text of Degraded or Failed, never from other errors.
	Message string
	// Measurement is the last one; zero if nothing was measured.
	Measurement Measurement
	// Values of the last run that set any, sorted by name.
	Values []Value
	// Warning and Critical are those of the Check.
	Warning, Critical Limit

	// Err is the raw error of the last failure, nil after a success. It may hold secrets.
	Err error

	// Since is when Status last changed; zero before the first result.
	Since time.Time
	// At is when the last result was recorded; zero before the first.
	At time.Time
	// Duration of the last run, retries included.
	Duration time.Duration
	// LastSuccess is when a run last passed; zero if none has.
	LastSuccess time.Time
	// Expires is when the result becomes stale: At + 3 × the longer interval + timeout, at least 1 s. Zero before the first.
	Expires time.Time
	// Failures is the number of failures in a row.
	Failures int

	// Runs counts all runs.
	Runs Runs
}

// Runs counts the results and runs of a check since it was added.
type Runs struct {
	// Since is when the check was added.
	Since time.Time
	// Abandoned counts runs that ignored their context.
	Abandoned uint64
	// Sum of all durations.
	Sum time.Duration

	byStatus  [Critical + 1]uint64
	durations [len(durationBounds) + 1]uint64
}

// durationBounds are Prometheus' default buckets with 1 ms in front and 30 s behind, in seconds.
var durationBounds = [...]float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// DurationBounds returns the finite upper bounds of Runs.Durations, in seconds. The caller owns the slice.
func DurationBounds() []float64 { return slices.Clone(durationBounds[:]) }

// ByStatus returns how many results led to status. A due time at which an abandoned run is still in flight is a result
// too, but no run.
func (r Runs) ByStatus(status Status) uint64 {
	if int(status) >= len(r.byStatus) {
		return 0
	}
	return r.byStatus[status]
}

// Durations yields the buckets of the histogram of all durations: the upper bound in seconds, of which the last is
// +Inf, and the number of runs in the bucket.
func (r Runs) Durations() iter.Seq2[float64, uint64] {
	return func(yield func(float64, uint64) bool) {
		for i, n := range r.durations {
			bound := math.Inf(1)
			if i < len(durationBounds) {
				bound = durationBounds[i]
			}
			if !yield(bound, n) {
				return
			}
		}
	}
}

// AddResults counts n results. A Checker does so itself; AddResults and AddRuns are exported for Results made by tests.
func (r *Runs) AddResults(status Status, n uint64) { r.byStatus[status] += n }

// AddRuns counts n runs that took d each.
func (r *Runs) AddRuns(d time.Duration, n uint64) {
	r.Sum += d * time.Duration(n)
	bucket, _ := slices.BinarySearch(durationBounds[:], d.Seconds())
	r.durations[bucket] += n
}

// Snapshot is the immutable set of all results at one time.
type Snapshot struct {
	// Revision increases with each snapshot.
	Revision uint64
	// Results are sorted by name. They are shared and must not be changed.
	Results []*Result
}

// Lookup returns the result of the check called name, by binary search.
func (s *Snapshot) Lookup(name string) (*Result, bool) {
	i, found := slices.BinarySearchFunc(s.Results, name, func(r *Result, name string) int {
		return strings.Compare(r.Name, name)
	})
	if !found {
		return nil, false
	}
	return s.Results[i], true
}

// Measured reports whether Value is the number of Measurement, not a word such as timeout.
func (r *Result) Measured() bool { return r.Value == formatNumber(r.Measurement.Value) }

// formatNumber formats a measured value for reports.
func formatNumber(number float64) string { return strconv.FormatFloat(number, 'f', 1, 64) }

// fullMessage returns the public message of r, which ends with text and the cause.
func (r *Result) fullMessage(text string) string {
	if r.CausedBy != "" {
		text = strings.TrimPrefix(text+"; caused by "+r.CausedBy, "; ")
	}
	if text == "" {
		return r.message()
	}
	return r.message() + ": " + text
}

// message returns that without text and cause.
func (r *Result) message() string {
	switch r.Reason {
	case ReasonOK, ReasonThreshold, ReasonDegraded:
		switch r.Value {
		case valueAvailable:
			return r.Title + " is available"
		case valueDegraded:
			return r.Title + " is degraded"
		}
		return strings.TrimSuffix(r.Title+" at "+unit.Format(r.Value, r.Measurement.Unit)+" "+r.Measurement.Source, " ")
	case ReasonError:
		if r.Value == valueError {
			return r.Title + " cannot be measured"
		}
		return r.Title + " is unavailable"
	case ReasonTimeout:
		return r.Title + " check timed out"
	case ReasonPanic:
		return r.Title + " check panicked"
	case ReasonStale:
		return r.Title + " has no recent result"
	case ReasonCircuitOpen:
		return r.Title + " is not called: its circuit breaker is open"
	case ReasonStarved:
		return r.Title + " could not be checked: the process gets too little CPU"
	case ReasonMaintenance:
		return r.Title + " is in maintenance"
	default:
		return r.Title + " has not been checked yet"
	}
}
