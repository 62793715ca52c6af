//go:build !race

package interceptor_test

// raceEnabled tells that allocations are not those of the real build.
const raceEnabled = false
