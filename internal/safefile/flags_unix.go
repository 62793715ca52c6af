//go:build unix

package safefile

import "syscall"

const (
	// noWait opens a named pipe without waiting for a writer.
	noWait = syscall.O_NONBLOCK
	// noFollow rejects a symbolic link.
	noFollow = syscall.O_NOFOLLOW
)
