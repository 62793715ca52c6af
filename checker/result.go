package checker

import (
	"slices"
	"strings"
	"time"
)

// Result is what is known about one check. It is plain data: a copy in an Snapshot never changes.
type Result struct {
	Name     string
	Kind     Kind
	Title    string
	Optional bool
	// Gates is Check.Gates with its default applied: empty when the check gates nothing.
	Gates []string

	Status Status
	Reason Reason
	// Value is the metric's value in the report: available, unavailable, timeout, error, circuit_open, or the
	// measured number with one decimal. Empty until the first result.
	Value string
	// Message is safe for everybody: it is made from Title, Value and Measurement, never from an error.
	Message string
	// Measurement is the last one; its zero value means that nothing was measured.
	Measurement Measurement
	// Warning and Critical are those of the Check.
	Warning, Critical Limit

	// Err is the cause of the last failure, nil after a success. It wraps the check's error, whose text was taken once,
	// when the run ended: at most 4 KiB. It may hold secrets; endpoints show it only where Details allow.
	Err error

	// Since is when Status last changed; zero before the first result.
	Since time.Time
	// At is when the last result came: when the last run ended or was given up. Zero before the first.
	At time.Time
	// Duration of the last run, retries included.
	Duration time.Duration
	// LastSuccess is when a run last passed; zero if none has.
	LastSuccess time.Time
	// Expires is when the result becomes stale: At + 3 × the longer interval + timeout. Zero before the first.
	Expires time.Time
	// Failures is how many runs in a row have failed.
	Failures int

	// Runs counts the runs over the check's life.
	Runs Runs
}

// Snapshot is an immutable snapshot of all checks.
type Snapshot struct {
	// Revision grows by at least one with each edition.
	Revision uint64
	// Results, sorted by name. Shared: do not change them.
	Results []*Result
}

// Lookup returns the result of the check called name. It costs a binary search.
func (e *Snapshot) Lookup(name string) (*Result, bool) {
	i, found := slices.BinarySearchFunc(e.Results, name, func(r *Result, name string) int {
		return strings.Compare(r.Name, name)
	})
	if !found {
		return nil, false
	}
	return e.Results[i], true
}
