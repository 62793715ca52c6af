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
	for i := range checks { // a negative default is reported once, not by every check
		checks[i].Interval = cmp.Or(checks[i].Interval, max(cfg.CheckInterval, 0))
		checks[i].Timeout = cmp.Or(checks[i].Timeout, max(cfg.CheckTimeout, 0))
	}
	return checks, errors.Join(err, resourceErr, cfg.negativeTimes())
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
			check.Gates = nil // an optional check gates nothing
		}
		unknown = slices.DeleteFunc(unknown, func(name string) bool { return name == check.Name })
	}
	if len(unknown) > 0 {
		return dependencies, fmt.Errorf("vitals: OptionalChecks (PLUGIN_HEALTH_OPTIONAL_CHECKS): unknown dependency %q; have %q", unknown, names)
	}
	return dependencies, nil
}

func (cfg Config) negativeTimes() error {
	var errs []error
	for _, field := range []struct {
		name  string
		value time.Duration
	}{{"CheckInterval", cfg.CheckInterval}, {"CheckTimeout", cfg.CheckTimeout}} {
		if field.value < 0 {
			errs = append(errs, fmt.Errorf("vitals: %s: got %v, want no negative duration", field.name, field.value))
		}
	}
	return errors.Join(errs...)
}
