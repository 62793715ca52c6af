package servicer

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/vitals-go/vitals/checker"
)

// groups are sets of checks with a name of their own in grpc.health.v1.
type groups map[string][]string

func newGroups(configured map[string][]string) groups {
	all := make(groups, len(configured))
	for name, members := range configured {
		all[validUTF8(name)] = slices.Clone(members)
	}
	return all
}

// has reports whether c belongs to the group called name.
func (all groups) has(name string, c *checker.Result) bool {
	return slices.Contains(all[name], c.Name) || slices.Contains(c.Gates, name)
}

// validate returns an error for each group without checks, with unknown ones, or with a name that something else has.
func (all groups) validate(r *readings, services []string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		add := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("servicer: Groups: group %q "+format, append([]any{name}, args...)...))
		}
		known := &checker.Snapshot{Results: r.checks}
		_, isCheck := known.Lookup(name)
		switch {
		case reserved(name):
			add("has the name of a probe")
		case contains(services, name):
			add("has the name of a service")
		case isCheck:
			add("has the name of a check")
		}
		if !slices.ContainsFunc(r.checks, func(c *checker.Result) bool { return all.has(name, c) }) {
			add("has no checks")
		}
		for i, member := range all[name] {
			if _, found := known.Lookup(member); !found {
				add("has an unknown check %q", member)
			}
			if slices.Contains(all[name][:i], member) {
				add("lists the check %q twice", member)
			}
		}
	}
	return errors.Join(errs...)
}

// causes returns what keeps each group from serving: end, and its checks.
func (all groups) causes(checks []*checker.Result, end []Cause) map[string][]Cause {
	found := make(map[string][]Cause, len(all))
	for name := range all {
		found[name] = slices.Clone(end)
		for _, c := range causesFirst(checks) {
			if all.has(name, c) {
				found[name] = append(found[name], neverPassed(c)...)
			}
		}
	}
	return found
}
