//go:build linux || darwin || freebsd || netbsd || openbsd

package resource

import (
	"runtime"
	"syscall"
	"time"
)

// processCPU returns the CPU time that this process has used, and GOMAXPROCS.
func processCPU() (used time.Duration, goProcs int, err error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), runtime.GOMAXPROCS(0), nil
}
