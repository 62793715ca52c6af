package resource

import (
	"context"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// machine is what the checks measure; tests replace it.
type machine struct {
	host  host
	files fs.FS // where control groups and pressure are read, rooted at "/"
	// process returns the CPU time of this process and GOMAXPROCS; nil on a fake machine.
	process func() (used time.Duration, goProcs int, err error)
	// cpus and memory are the configured limits; 0: none.
	cpus   float64
	memory uint64
}

// thisMachine is the one that the process runs on. Other systems than Linux lack the files.
func thisMachine() machine {
	return machine{host: gopsutil{}, files: newMemo(os.DirFS("/")), process: processCPU}
}

// limitedTo returns m with the limits of cfg.
func (m machine) limitedTo(cfg Config) machine {
	m.cpus, m.memory = cfg.CPUs, cfg.MemoryBytes
	return m
}

// around names what the figures in a file of /proc are about: lxcfs replaces the host's by those of the container.
func (m machine) around(file string) string {
	for line := range strings.Lines(readText(m.files, "proc/self/mountinfo")) {
		if strings.Contains(line, " /proc/"+file+" ") && strings.Contains(line, " - fuse.lxcfs ") {
			return "container"
		}
	}
	return "host"
}

// host measures a machine. The methods may be called concurrently. Where a method returns an error that wraps
// errors.ErrUnsupported, Checks leaves the check out; other errors make the check fail.
type host interface {
	// CPU returns the time that all CPUs together have spent since boot.
	CPU(ctx context.Context) (cpuTimes, error)
	// Memory returns the bytes that are not available without swapping, and all bytes.
	Memory(ctx context.Context) (usage, error)
	// Disk returns the state of the filesystem of path. It may hang, and may ignore ctx.
	Disk(ctx context.Context, path string) (diskState, error)
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

// diskState is the state of a filesystem.
type diskState struct {
	// Space is the bytes used, and those together with the bytes available to an unprivileged user.
	Space usage
	// Inodes is 0 of 0 where the filesystem has no fixed number of them.
	Inodes   usage
	ReadOnly bool
	Type     string // of the filesystem, such as ext2/ext3; empty if unknown
}

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
	if text := number(cpus); text != "1" {
		return text + " CPUs"
	}
	return "1 CPU"
}

// number formats with one decimal, below 1 with two digits.
func number(value float64) string {
	if value > 0 && value < 1 {
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 2, 64), 64)
		return strconv.FormatFloat(rounded, 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(value*10)/10, 'f', -1, 64)
}
