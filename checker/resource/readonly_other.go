//go:build !linux && !darwin

package resource

// readOnly is not known on other systems.
func readOnly(string) bool { return false }
