package vitals

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

// allChecks returns all checks of cfg with their defaults. The error joins all mistakes.
func (cfg Config) allChecks() ([]checker.Check, error) {
	dependencies, err := cfg.dependencies()
	resources, resourceErr := resource.Checks(cfg.Resources)
	checks := slices.Concat(dependencies, cfg.Checks, resources)
	interval, intervalErr := timeBetween("CheckInterval ("+intervalVariable+")", cfg.CheckInterval, minCheckInterval)
	timeout, timeoutErr := timeBetween("CheckTimeout ("+timeoutVariable+")", cfg.CheckTimeout, time.Millisecond)
	for i := range checks {
		checks[i].Interval, checks[i].Timeout = cmp.Or(checks[i].Interval, interval), cmp.Or(checks[i].Timeout, timeout)
	}
	return checks, errors.Join(err, resourceErr, intervalErr, timeoutErr)
}

// dependencies returns cfg.Dependencies after OptionalChecks.
func (cfg Config) dependencies() ([]checker.Check, error) {
	dependencies := slices.Clone(cfg.Dependencies)
	if len(cfg.OptionalChecks) == 0 {
		return dependencies, nil
	}
	names, unknown := make([]string, len(dependencies)), slices.Clone(cfg.OptionalChecks)
	for i := range dependencies {
		check := &dependencies[i]
		names[i], check.Optional = check.Name, slices.Contains(cfg.OptionalChecks, check.Name)
		if check.Optional {
			check.Gates, check.Shadow = nil, false // an optional check gates nothing
		}
		unknown = slices.DeleteFunc(unknown, func(name string) bool { return name == check.Name })
	}
	if len(unknown) > 0 {
		return dependencies, fmt.Errorf("vitals: OptionalChecks (PLUGIN_HEALTH_OPTIONAL_CHECKS): unknown dependency %q; have %q", unknown, names)
	}
	return dependencies, nil
}

// minCheckInterval is the least CheckInterval: the health file is written as often.
const minCheckInterval = 100 * time.Millisecond

// timeBetween returns d, or 0 and an error that names the field: it is reported once, not by every check.
func timeBetween(field string, d, least time.Duration) (time.Duration, error) {
	if d != 0 && d < least || d > maxDuration {
		return 0, fmt.Errorf("vitals: %s: got %v, want %v to %v", field, d, least, time.Duration(maxDuration).Truncate(time.Hour))
	}
	return d, nil
}
