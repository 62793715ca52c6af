//go:build linux || darwin

package resource

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// infinite: a limit of at least this many descriptors is none.
const infinite = 1 << 31

// descriptors counts the open descriptors of this process. Total is 0 if they are not limited.
func descriptors() (usage, error) {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		dir, err = os.Open("/proc/self/fd") // a minimal container has no /dev/fd
	}
	if err != nil {
		return usage{}, err
	}
	defer dir.Close()
	used := uint64(0)
	for {
		// In portions, which bounds the memory for names.
		names, err := dir.Readdirnames(1024)
		used += uint64(len(names))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return usage{}, err
		}
	}
	used-- // the directory that was just read
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= infinite {
		return usage{Used: used}, nil
	}
	return usage{Used: used, Total: limit.Cur}, nil
}
