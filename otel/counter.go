package otelvitals

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// counter adds to a synchronous counter what counts elsewhere have grown by. An observable counter would fall when such a
// count begins anew, with a check, breaker or process part that is removed and added again: a cumulative sum that falls, a
// negative delta. It is guarded by provider.mu.
type counter struct {
	to metric.Int64Counter
	// last has the count of each series at the last collection, next those of the current one.
	last, next map[attribute.Distinct]uint64
}

// count brings the series up to value, which begins at zero when it is new, was missing in the last collection, or falls.
func (c *counter) count(ctx context.Context, value uint64, attributes attribute.Set) {
	key := attributes.Equivalent()
	last, known := c.last[key]
	if value < last {
		last = 0
	}
	if value > last || !known { // zero too, so that rate() includes the first increase
		c.to.Add(ctx, int64(value-last), metric.WithAttributeSet(attributes)) //nolint:gosec // No count exceeds an int64.
	}
	c.next[key] = value
}

// collected ends a collection. Series that were not counted are forgotten, unless they are missing for a fault only.
func (c *counter) collected(keepMissing bool) {
	if keepMissing {
		for key, value := range c.last {
			if _, found := c.next[key]; !found {
				c.next[key] = value
			}
		}
	}
	c.last, c.next = c.next, c.last
	clear(c.next)
}

// restart makes all series begin at zero, for another source.
func (c *counter) restart() { clear(c.last) }
