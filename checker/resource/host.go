package resource

import (
	"context"
	"io/fs"
	"math"
	"os"
	"strconv"
)

// machine is what the checks measure; tests replace it.
type machine struct {
	host  host
	files fs.FS // where control groups and pressure are read, rooted at "/"
}

// thisMachine is the one that the process runs on. Other systems than Linux lack the files.
func thisMachine() machine { return machine{gopsutil{}, os.DirFS("/")} }

// host measures a machine. The methods may be called concurrently. Where a method returns an error that wraps
// errors.ErrUnsupported, Checks leaves the check out; other errors make the check fail.
type host interface {
	// CPU returns the time that all CPUs together have spent since boot.
	CPU(ctx context.Context) (cpuTimes, error)
	// Memory returns the bytes that are not available without swapping, and all bytes.
	Memory(ctx context.Context) (usage, error)
	// Disk returns the bytes used on the filesystem of path, and those together with the bytes available to an
	// unprivileged user. It may hang, and may ignore ctx.
	Disk(ctx context.Context, path string) (usage, error)
	// Load returns the load average of one minute divided by the number of CPUs.
	Load(ctx context.Context) (float64, error)
}

// cpuTimes is CPU time since boot in seconds, summed over all CPUs.
type cpuTimes struct {
	Busy  float64 // without waiting for input or output
	Total float64
	CPUs  int
}

// usage is how many bytes of something are used, and how many there are.
type usage struct{ Used, Total uint64 }

// percent is between 0 and 100, also for inconsistent values.
func (u usage) percent() float64 {
	if u.Total == 0 {
		return 0
	}
	return clamp(100 * float64(u.Used) / float64(u.Total))
}

// clamp limits a number to 0 to 100; NaN becomes 0.
func clamp(percent float64) float64 {
	if !(percent > 0) {
		return 0
	}
	return min(percent, 100)
}

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
