//go:build !windows

package dependency

import "syscall"

const (
	connRefused     = syscall.ECONNREFUSED
	connReset       = syscall.ECONNRESET
	brokenPipe      = syscall.EPIPE
	noHostRoute     = syscall.EHOSTUNREACH
	noNetRoute      = syscall.ENETUNREACH
	tooManyFiles    = syscall.EMFILE
	tooManyInSystem = syscall.ENFILE
)
