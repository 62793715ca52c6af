//go:build linux || darwin

package resource

import "syscall"

// readOnly reports whether path is on a filesystem that is mounted read-only.
func readOnly(path string) bool {
	const readOnlyFlag = 1 // ST_RDONLY of Linux, MNT_RDONLY of Darwin
	var stat syscall.Statfs_t
	return syscall.Statfs(path, &stat) == nil && stat.Flags&readOnlyFlag != 0
}
