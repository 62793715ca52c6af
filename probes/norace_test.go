//go:build !race

package probes_test

// raceEnabled says that the race detector is on: it allocates, and everything is slow.
const raceEnabled = false
