package breaker

// Consecutive returns the number of failures in a row in the closed state.
func Consecutive(b *Breaker) uint32 { return b.consecutive.Load() }
