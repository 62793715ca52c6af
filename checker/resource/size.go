package resource

import (
	"math"
	"strconv"
)

// humanSize formats bytes with at most one decimal: 512 MiB, 1.5 GiB.
func humanSize(bytes uint64) string {
	const units = "KMGTPE"
	if bytes < 1024 {
		return strconv.FormatUint(bytes, 10) + " B"
	}
	value, unit := float64(bytes)/1024, 0
	// Rounding must not result in 1024 of a unit.
	for math.Round(value*10) >= 10240 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return number(value) + " " + units[unit:unit+1] + "iB"
}

// humanCPUs formats a number of CPUs: 1 CPU, 1.5 CPUs.
func humanCPUs(cpus float64) string {
	if cpus == 1 {
		return "1 CPU"
	}
	return number(cpus) + " CPUs"
}

// number formats with at most two decimals below 1, else with one.
func number(value float64) string {
	scale := 10.0
	if value < 1 {
		scale = 100
	}
	return strconv.FormatFloat(math.Round(value*scale)/scale, 'f', -1, 64)
}
