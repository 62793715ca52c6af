package promvitals

import (
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"golang.org/x/sync/singleflight"
)

// shared lets those who come while one gathers have what that one gets: collectors that take long are not asked by many
// at once. Whoever comes later gathers anew, whatever the others do with theirs. With promhttp's CoalesceGather, a
// scraper that stopped reading would keep all others at the page of its time.
type shared struct {
	prometheus.Gatherer

	flight singleflight.Group
}

// Gather implements prometheus.Gatherer.
func (s *shared) Gather() ([]*dto.MetricFamily, error) {
	families, err, _ := s.flight.Do("", func() (any, error) { return s.Gatherer.Gather() })
	return families.([]*dto.MetricFamily), err // promhttp only reads them
}

// foreign leaves out families whose names the page has already: a collector that does not describe itself can have any,
// and a registry does not mind one that is called as a part of a histogram.
type foreign struct {
	prometheus.Gatherer

	taken map[string]bool
}

// Gather implements prometheus.Gatherer.
func (f *foreign) Gather() ([]*dto.MetricFamily, error) {
	families, err := f.Gatherer.Gather()
	families = slices.DeleteFunc(families, func(family *dto.MetricFamily) bool {
		taken := f.taken[family.GetName()]
		if taken {
			err = errors.Join(err, fmt.Errorf("promvitals: another collector has %s, too", family.GetName()))
		}
		return taken
	})
	return families, err
}
