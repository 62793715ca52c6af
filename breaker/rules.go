package breaker

// trips is the rule by which a closed breaker opens. It is pure.
func (c *Config) trips(consecutive uint32, window Calls) bool {
	if c.ConsecutiveFailures > 0 && consecutive >= uint32(c.ConsecutiveFailures) {
		return true
	}
	ended := window.Successes + window.Failures
	if ended < uint64(c.MinCalls) {
		return false
	}
	if c.FailureRate > 0 && float64(window.Failures) >= c.FailureRate*float64(ended) {
		return true
	}
	return c.SlowCall > 0 && float64(window.Slow) >= c.SlowCallRate*float64(ended)
}
