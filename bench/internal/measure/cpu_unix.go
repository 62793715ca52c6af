//go:build unix

package measure

import (
	"syscall"
	"time"
)

// CPU is how long processors have worked for this process since it began, in its own code and in the kernel.
func CPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
