package breaker

import "time"

// openTime returns how long to stay open after the given number of probes that failed in a row. luck is a random
// number in [0, 1). The spread is applied below MaxOpenTime rather than cut off there, or instances that have been
// open for long would come back together.
func (c *Config) openTime(failedProbes int, luck float64) time.Duration {
	limit := time.Duration(float64(c.MaxOpenTime) / (1 + c.Jitter))
	base := min(c.OpenTime, limit)
	for range failedProbes {
		if base >= limit/2 {
			base = limit
			break
		}
		base *= 2
	}
	return min(spread(base, -c.Jitter, c.Jitter, luck), c.MaxOpenTime) // the sum may be rounded up
}

// tripTime returns how long to stay open when told to for d: never shorter, spread by up to the jitter, and at most
// MaxOpenTime.
func (c *Config) tripTime(d time.Duration, luck float64) time.Duration {
	return min(spread(min(d, c.MaxOpenTime), 0, c.Jitter, luck), c.MaxOpenTime)
}

func spread(d time.Duration, low, high, luck float64) time.Duration {
	return time.Duration(float64(d) * (1 + low + (high-low)*luck))
}
