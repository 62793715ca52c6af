package resource

import "context"

// Host measures the machine that the process runs on. The default uses gopsutil; a fake or another library can take
// its place. The methods may be called concurrently. An error that wraps errors.ErrUnsupported says that this machine
// can never tell: Checks leaves such a check out. All other errors make the check fail.
type Host interface {
	// CPU returns the time that all CPUs together have spent since boot.
	CPU(ctx context.Context) (CPUTimes, error)
	// Memory returns the bytes that cannot be had without swapping, and all bytes.
	Memory(ctx context.Context) (Usage, error)
	// Disk returns the bytes used on the filesystem of path, and those together with the bytes that an ordinary user
	// can still have. It may hang, and may ignore ctx.
	Disk(ctx context.Context, path string) (Usage, error)
	// Load returns the load average of one minute divided by the number of CPUs.
	Load(ctx context.Context) (float64, error)
}

// CPUTimes is CPU time since boot, summed over all CPUs.
type CPUTimes struct {
	// Busy is what was used, in seconds. Waiting for input or output is not use.
	Busy float64
	// Total is what has passed, in seconds.
	Total float64
	// CPUs is the number of CPUs.
	CPUs int
}

// Usage is how many bytes of something are used, and how many there are.
type Usage struct {
	Used, Total uint64
}

// percent is between 0 and 100, also for figures that contradict each other.
func (u Usage) percent() float64 {
	if u.Total == 0 {
		return 0
	}
	return clamp(100 * float64(u.Used) / float64(u.Total))
}

// clamp makes a percentage of any number; what is not a number becomes 0.
func clamp(percent float64) float64 {
	if !(percent > 0) {
		return 0
	}
	return min(percent, 100)
}
