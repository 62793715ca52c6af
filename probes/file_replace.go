package probes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// replace puts body at path so that every reader sees the old content or the new one, whole. It writes a file beside
// it and renames that: rename replaces a link at path, it never follows one. The content is not forced to the disk;
// after a power failure a reader finds the file torn or expired, which is the truth.
func replace(path string, body []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), temporary(path)+"*"+temporaryEnd)
	if err != nil {
		return err
	}
	err = fill(file, body)
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// fill writes a file and lets everybody read it: whoever probes may be another user.
func fill(file *os.File, body []byte) error {
	_, err := file.Write(body)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	return err
}

// temporary begins the names of the files that are renamed to path. It holds the process's number, by which a
// restarted one that has the same number, as in a container, finds what the last one left behind.
func temporary(path string) string {
	return fmt.Sprintf(".%s.%d.", filepath.Base(path), os.Getpid())
}

const temporaryEnd = ".tmp"

// sweep removes what a killed predecessor with our process number has left.
func (f *File) sweep() {
	dir := filepath.Dir(f.config.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the first write will tell
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, temporary(f.config.Path)) && strings.HasSuffix(name, temporaryEnd) {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
}

// detectOtherWriter says so if the file holds what somebody else has written since our last write. A predecessor's file is
// no rival, and neither is anything that is not a health file in force.
func (f *File) detectOtherWriter() {
	if f.written == nil {
		return
	}
	body, err := readRegular(f.config.Path)
	if err != nil || bytes.Equal(body, f.written) {
		return
	}
	status, err := parseFile(body, time.Now())
	if err != nil || f.otherWriters[status.PID] {
		return
	}
	f.otherWriters[status.PID] = true
	f.log.LogAttrs(context.Background(), slog.LevelError, "health file is written by another process too",
		slog.String("path", f.config.Path), slog.Int("pid", os.Getpid()), slog.Int("other_pid", status.PID))
}

// remove takes the file away if it is still ours.
func (f *File) remove() {
	if f.written == nil {
		return
	}
	body, err := readRegular(f.config.Path)
	if err == nil && !bytes.Equal(body, f.written) {
		return
	}
	if err := os.Remove(f.config.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.LogAttrs(context.Background(), slog.LevelError, "health file cannot be removed",
			slog.String("path", f.config.Path), slog.String("error", err.Error()))
	}
}

// cause is what makes two failures the same: the error of the system, not the random name of a temporary file.
func cause(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}
