//go:build race

package week

const raceEnabled = true
