// Package unit writes numbers with their units.
package unit

// Format appends a bare unit to a number: 42%, 3 ms, and 7 for the unit 1 or none.
func Format(number, unit string) string {
	switch unit {
	case "%":
		return number + unit
	case "", "1":
		return number
	default:
		return number + " " + unit
	}
}
