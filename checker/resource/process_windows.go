package resource

import (
	"runtime"
	"syscall"
	"time"
)

// processCPU returns the CPU time that this process has used, and GOMAXPROCS.
func processCPU() (used time.Duration, goProcs int, err error) {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, 0, err
	}
	var created, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &ended, &kernel, &user); err != nil {
		return 0, 0, err
	}
	ticks := func(t syscall.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) } // of 100 ns
	return time.Duration(ticks(kernel)+ticks(user)) * 100, runtime.GOMAXPROCS(0), nil
}
