//go:build unix

package safefile

import "syscall"

const (
	// noWait opens a pipe at once, although nobody writes to it.
	noWait = syscall.O_NONBLOCK
	// noFollow refuses a link.
	noFollow = syscall.O_NOFOLLOW
)
