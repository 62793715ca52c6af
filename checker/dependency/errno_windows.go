package dependency

import "syscall"

// The errors of Windows' sockets, which package syscall names otherwise than those of Unix.
const (
	connRefused     = syscall.Errno(10061) // WSAECONNREFUSED
	connReset       = syscall.Errno(10054) // WSAECONNRESET
	brokenPipe      = syscall.Errno(10053) // WSAECONNABORTED
	noHostRoute     = syscall.Errno(10065) // WSAEHOSTUNREACH
	noNetRoute      = syscall.Errno(10051) // WSAENETUNREACH
	tooManyFiles    = syscall.Errno(10024) // WSAEMFILE
	tooManyInSystem = syscall.Errno(10055) // WSAENOBUFS
)
