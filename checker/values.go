package checker

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/vitals-go/vitals/internal/errtext"
)

// Value is a number that a run reported beside its result, such as the lag of a replica. It is public and judged by nothing.
type Value struct {
	// Name is unique among the values of a check, such as replication_lag.
	Name   string
	Number float64
	// Unit is bare: "s" or "%". Default "1", for numbers without a unit.
	Unit string
}

// maxValues bounds the values of a run: each is a series of every exporter.
const maxValues = 16

// SetValue adds a value to the result of the run that has ctx, also if that fails, or replaces the one of that name. Reports
// show the values of the last run that set any. A run has at most 16; further ones, those without a name or with a number that
// is not finite, and those set after the run has ended have no effect, as has a call outside of a run. It may be called
// concurrently.
func SetValue(ctx context.Context, name string, number float64, unit string) {
	if v, found := ctx.Value(valuesKey{}).(*values); found {
		v.set(Value{name, number, unit})
	}
}

type valuesKey struct{}

// values are those of one run.
type values struct {
	mu    sync.Mutex
	list  []Value // sorted by name
	ended bool
}

func (v *values) set(value Value) {
	value.Name, value.Unit = errtext.Valid(value.Name), cmp.Or(errtext.Valid(value.Unit), "1")
	if value.Name == "" || len(value.Name) > maxNameBytes || !finite(value.Number) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	i, found := slices.BinarySearchFunc(v.list, value.Name, func(x Value, name string) int { return strings.Compare(x.Name, name) })
	switch {
	case v.ended:
	case found:
		v.list[i] = value
	case len(v.list) < maxValues:
		v.list = slices.Insert(v.list, i, value)
	}
}

// end returns the values and ignores further ones.
func (v *values) end() []Value {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended = true
	return v.list
}
