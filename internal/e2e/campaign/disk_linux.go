package main

import (
	"errors"
	"fmt"
	"syscall"
)

// mount makes folder a disk of its own, in memory.
func mount(folder string) (*disk, error) {
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			return nil, fmt.Errorf("%w: %w", errNoDisk, err)
		}
		return nil, err
	}
	return &disk{folder}, nil
}

func (d *disk) unmount() error { return syscall.Unmount(d.folder, syscall.MNT_DETACH) }
