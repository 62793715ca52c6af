//go:build unix

package measure

import (
	"syscall"
	"time"
)

// CPU is how long processors have worked for this process since it began, in its own code and in the kernel.
func CPU() time.Duration { return usage(syscall.RUSAGE_SELF) }

// childrenCPU is CPU for the child processes that have ended.
func childrenCPU() time.Duration { return usage(syscall.RUSAGE_CHILDREN) }

func usage(of int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(of, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
