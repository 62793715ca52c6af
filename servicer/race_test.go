//go:build race

package servicer_test

const raceEnabled = true
