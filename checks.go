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

// allChecks returns every check that cfg asks for, with its defaults filled in, and reports all mistakes.
func (cfg Config) allChecks() ([]checker.Check, error) {
	dependencies, err := cfg.dependencies()
	resources, resourceErr := resource.Checks(cfg.Resources)
	checks := slices.Concat(dependencies, cfg.Checks, resources)
	for i := range checks { // negative defaults are told once, and not by every check
		checks[i].Interval = cmp.Or(checks[i].Interval, max(cfg.CheckInterval, 0))
		checks[i].Timeout = cmp.Or(checks[i].Timeout, max(cfg.CheckTimeout, 0))
	}
	return checks, errors.Join(err, resourceErr, cfg.negativeTimes())
}

// dependencies returns the dependencies as the operator wants them: OptionalChecks, when given, overrules the code.
func (cfg Config) dependencies() ([]checker.Check, error) {
	dependencies := slices.Clone(cfg.Dependencies)
	if len(cfg.OptionalChecks) == 0 {
		return dependencies, nil
	}
	unknown := slices.Clone(cfg.OptionalChecks)
	for i, check := range dependencies {
		optional := slices.Contains(cfg.OptionalChecks, check.Name)
		if optional {
			dependencies[i].Gates = nil // what is optional gates nothing, whatever the code says
		}
		dependencies[i].Optional = optional
		unknown = slices.DeleteFunc(unknown, func(name string) bool { return name == check.Name })
	}
	if len(unknown) > 0 {
		return dependencies, fmt.Errorf("vitals: OptionalChecks (PLUGIN_HEALTH_OPTIONAL_CHECKS) names no dependency: %q", unknown)
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
			errs = append(errs, fmt.Errorf("vitals: %s is negative: %v", field.name, field.value))
		}
	}
	return errors.Join(errs...)
}
