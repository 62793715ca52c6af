package result

import "fmt"

// Quantity writes a figure for people, with three digits: nanoseconds as ns, µs, ms or s, bytes as B, KiB, MiB or GiB.
// Other units are written behind the figure as they are.
func Quantity(figure float64, unit string) string {
	switch unit {
	case "ns":
		return Nanoseconds(figure)
	case "B":
		return Bytes(figure)
	default:
		return digits(figure) + " " + unit
	}
}

// Nanoseconds writes a duration.
func Nanoseconds(figure float64) string { return scaled(figure, 1000, "ns", "µs", "ms", "s") }

// Bytes writes an amount of memory or traffic.
func Bytes(figure float64) string { return scaled(figure, 1024, "B", "KiB", "MiB", "GiB", "TiB") }

func scaled(figure, step float64, units ...string) string {
	i := 0
	// What would be rounded to a whole step is written in the next unit.
	for ; i < len(units)-1 && (figure >= step*0.9995 || figure <= -step*0.9995); i++ {
		figure /= step
	}
	return digits(figure) + " " + units[i]
}

// digits writes three digits, and never an exponent.
func digits(figure float64) string {
	switch size := max(figure, -figure); {
	case size >= 100 || size == 0:
		return fmt.Sprintf("%.0f", figure)
	case size >= 10:
		return fmt.Sprintf("%.3g", figure)
	case size >= 0.01:
		return fmt.Sprintf("%.3g", figure)
	default:
		return fmt.Sprintf("%.4f", figure)
	}
}
