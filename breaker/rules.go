package breaker

// These are the rules by which a closed breaker opens. They are pure.

// fails is asked after each failure.
func (c *Config) fails(consecutive uint32, window Calls) bool {
	return c.ConsecutiveFailures > 0 && consecutive >= uint32(c.ConsecutiveFailures) ||
		c.FailureRate > 0 && c.share(window.Failures, window) >= c.FailureRate
}

// drags is asked after each slow call.
func (c *Config) drags(window Calls) bool { return c.share(window.Slow, window) >= c.SlowCallRate }

// share returns what part of the window's calls n are, 0 as long as they are too few to tell.
func (c *Config) share(n uint64, window Calls) float64 {
	ended := window.Successes + window.Failures
	if ended < uint64(c.MinCalls) {
		return 0
	}
	return float64(n) / float64(ended)
}
