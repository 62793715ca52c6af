//go:build race

package promvitals_test

const underRace = true
