//go:build !race

package statusmap_test

const raceEnabled = false
