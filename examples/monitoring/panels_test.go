package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// emptyOn says on which of the three servers below a panel may have nothing to show, by what it says then.
var emptyOn = map[string][]string{
	"no unary calls in this time": {"idle"}, "no circuit breakers": {"idle"}, "no checks": {"idle"}, "no check has passed": {"idle"},
	"no check measures": {"idle"}, "no check has run in this time": {"idle"},
	"no probers": {}, "standby": {}, // the test requests /ready, and no server is in standby
}

// sums are what panels add up to on each server: 0, "more" or "any".
var sums = map[string]map[string]string{
	"Ready":                       {"healthy": "1", "idle": "1", "failing": "0"},
	"Not ready":                   {"healthy": "0", "idle": "0", "failing": "1"},
	"Silent":                      {"healthy": "0", "idle": "0", "failing": "0"},
	"Checks that are not healthy": {"healthy": "0", "idle": "0", "failing": "more"},
	"Failures in a row":           {"healthy": "0", "failing": "more"},
	"Started":                     {"healthy": "more", "idle": "0", "failing": "more"},
	"Ended, by code":              {"healthy": "more", "idle": "0", "failing": "more"},
	"Failures":                    {"healthy": "0", "idle": "0", "failing": "more"},
	"Panics":                      {"healthy": "0", "idle": "0", "failing": "0"},
	"Rejected calls":              {"healthy": "0", "idle": "0"},
	"Failed and slow calls":       {"healthy": "0", "idle": "0", "failing": "more"},
	"Override and shadow":         {"healthy": "0", "idle": "0", "failing": "0"},
}

// TestEveryPanelShowsSomethingTrue looks at three servers, one after the other, as the dashboards do.
func TestEveryPanelShowsSomethingTrue(t *testing.T) {
	t.Parallel()
	servers := map[string]*server{
		"healthy": start(t, "1"), "failing": start(t, "1"),
		"idle": start(t, "1", func(cfg *vitals.Config) {
			cfg.Dependencies, cfg.Checks, cfg.Breakers = nil, nil, nil
		}),
	}
	each(t, "prometheus", func(t *testing.T, r release) {
		p := watch(t, r, wish{}, slices.Collect(maps.Values(servers))...)
		servers["failing"].away.Store(true)
		defer servers["failing"].away.Store(false)
		for _, m := range dashboards(t) {
			for _, shown := range m.Panels {
				if shown.Type == "row" {
					continue
				}
				for name, s := range servers {
					testdeps.Eventually(t, patience, func() error {
						servers["healthy"].call(t, 1, codes.OK)
						servers["failing"].call(t, 1, codes.Internal)
						var exprs []string
						for _, target := range shown.Targets {
							exprs = append(exprs, strings.NewReplacer("$__rate_interval", "10s", "$job", "shop", "$instance", s.web).Replace(target.Expr))
						}
						if err := p.panelIsTrue(exprs, sums[shown.Title][name], slices.Contains(emptyOn[shown.FieldConfig.Defaults.NoValue], name)); err != nil {
							return fmt.Errorf("%s: %s: the %s server: %w", m.UID, shown.Title, name, err)
						}
						return nil
					})
				}
			}
		}
	})
}

// panelIsTrue returns an error if the queries have nothing to show, unless they may, or do not add up to sum: "more" is more than
// 0, and "" anything.
func (p *prometheus) panelIsTrue(exprs []string, sum string, mayBeEmpty bool) error {
	numbers, total := 0, 0.0
	for _, expr := range exprs {
		values, err := p.values(expr)
		if err != nil {
			return err
		}
		for _, text := range values {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || v != v {
				return fmt.Errorf("%s shows %s", expr, text)
			}
			numbers++
			total += v
		}
	}
	switch {
	case numbers == 0 && mayBeEmpty:
		return nil
	case numbers == 0:
		return fmt.Errorf("nothing to show: %q", exprs)
	case sum == "more" && total <= 0, sum != "more" && sum != "" && strconv.FormatFloat(total, 'f', -1, 64) != sum:
		return fmt.Errorf("%q add up to %v, want %s", exprs, total, sum)
	}
	return nil
}

// Every text for an empty panel is one of those whose truth the test above knows.
func TestEmptyPanelsSayWhatIsKnown(t *testing.T) {
	t.Parallel()
	for _, m := range dashboards(t) {
		for _, shown := range m.Panels {
			if text := shown.FieldConfig.Defaults.NoValue; text != "" && emptyOn[text] == nil {
				t.Errorf("%s: %s: %q is not among the texts of the test", m.UID, shown.Title, text)
			}
		}
	}
}
