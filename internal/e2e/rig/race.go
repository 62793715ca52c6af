//go:build race

package rig

// buildFlags build children with the race detector where their parent has it.
var buildFlags = []string{"-race"}
