package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// disk is a file system of a few kilobytes that can be filled.
type disk struct{ folder string }

// errNoDisk says that there is none; mounting one takes root.
var errNoDisk = errors.New("mounting a small file system needs root and Linux")

// fill takes all room that is left.
func (d *disk) fill() error {
	err := os.WriteFile(d.filler(), make([]byte, 1<<20), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("filling the disk: %w, want %w", err, syscall.ENOSPC)
	}
	return nil
}

// free gives the room back.
func (d *disk) free() error { return os.Remove(d.filler()) }

func (d *disk) filler() string { return filepath.Join(d.folder, "filler") }
