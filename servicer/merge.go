package servicer

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/usercode"
)

// Readers look up breakers and metrics by name, so each name must be unique. New and AddServices refuse the duplicates that
// they see. Others appear later, with the breakers of groups and with checks added at run time; they are merged.

// duplicateBreakers returns an error for each breaker that has the name of an earlier one, and for each source that is
// listed twice.
func (c *Config) duplicateBreakers() error {
	var errs []error
	owners := make(map[string]int)
	for i, source := range c.Breakers {
		same := func(other breaker.SnapshotSource) bool {
			return reflect.ValueOf(source).Comparable() && source == other
		}
		if first := slices.IndexFunc(c.Breakers[:i], same); first >= 0 && source != nil {
			errs = append(errs, fmt.Errorf("servicer: Breakers[%d] is the same source as Breakers[%d]", i, first))
			continue
		}
		if source == nil {
			continue
		}
		snapshots, _ := usercode.Call(source.Snapshots)
		for _, b := range snapshots {
			name := validUTF8(b.Name)
			if first, found := owners[name]; found {
				errs = append(errs, fmt.Errorf("servicer: Breakers[%d] has a breaker %q, as Breakers[%d] does", i, name, first))
			} else {
				owners[name] = i
			}
		}
	}
	return errors.Join(errs...)
}

// duplicateMetrics returns an error for each resource or process check whose metric is that of another check, of a breaker,
// of a service or of the report.
func duplicateMetrics(r *readings, services []string) error {
	var errs []error
	for _, c := range r.checks {
		if c.Kind == checker.Dependency { // has a prefix
			continue
		}
		other := func(prefix, format string, known func(string) bool) {
			if name, found := strings.CutPrefix(c.Name, prefix); found && known(name) {
				errs = append(errs, fmt.Errorf("servicer: check %q has the name of the metric of "+format, c.Name, name))
			}
		}
		if slices.Contains(reservedMetrics(), c.Name) {
			errs = append(errs, fmt.Errorf("servicer: check %q has the name of a metric of the report", c.Name))
		}
		other(metricDependency, "check %q", func(name string) bool {
			result, found := (&checker.Snapshot{Results: r.checks}).Lookup(name)
			return found && result.Kind == checker.Dependency
		})
		other(metricBreaker, "breaker %q", func(name string) bool {
			return slices.ContainsFunc(r.breakers, func(b breaker.Snapshot) bool { return b.Name == name })
		})
		other(metricSuccessRate+"_", "service %q", func(name string) bool { return contains(services, name) })
	}
	return errors.Join(errs...)
}

// mergeBreakers sorts all by name and merges those with one name.
func mergeBreakers(all []breaker.Snapshot) []breaker.Snapshot {
	slices.SortStableFunc(all, func(a, b breaker.Snapshot) int { return strings.Compare(a.Name, b.Name) })
	kept := all[:0]
	for i := range all {
		if n := len(kept); n > 0 && kept[n-1].Name == all[i].Name {
			kept[n-1] = mergeBreaker(kept[n-1], all[i])
			continue
		}
		kept = append(kept, all[i])
	}
	return kept
}

// mergeBreaker returns the breaker that rejects more, or the same for longer, with the calls and transitions of both.
func mergeBreaker(a, b breaker.Snapshot) breaker.Snapshot {
	if rejects(&b) > rejects(&a) || rejects(&b) == rejects(&a) && b.Since.Before(a.Since) {
		a, b = b, a
	}
	if a.State == b.State {
		a.RetryAt = soonest(a.RetryAt, b.RetryAt)
	}
	a.Calls, a.Window = addCalls(a.Calls, b.Calls), addCalls(a.Window, b.Window)
	counts := make(map[breaker.State]uint64, 3)
	for _, s := range []breaker.Snapshot{a, b} {
		for state, n := range s.Transitions {
			counts[state] += n
		}
	}
	a.Transitions = counts
	return a
}

// rejects orders breakers by how much they reject.
func rejects(b *breaker.Snapshot) int {
	if b.State != breaker.Closed && b.ObserveOnly {
		return 1
	}
	return 2 * int(b.State)
}

func addCalls(a, b breaker.Calls) breaker.Calls {
	return breaker.Calls{
		Successes: a.Successes + b.Successes, Failures: a.Failures + b.Failures, Neutral: a.Neutral + b.Neutral,
		Slow: a.Slow + b.Slow, Rejected: a.Rejected + b.Rejected,
	}
}

// mergeMetrics sorts metrics by name and keeps the worst of those with one name.
func mergeMetrics(metrics []Metric) []Metric {
	slices.SortStableFunc(metrics, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	kept := metrics[:0]
	for i := range metrics {
		if n := len(kept); n > 0 && kept[n-1].Name == metrics[i].Name {
			if metrics[i].Status.Worse(kept[n-1].Status) {
				kept[n-1] = metrics[i]
			}
			continue
		}
		kept = append(kept, metrics[i])
	}
	return kept
}
