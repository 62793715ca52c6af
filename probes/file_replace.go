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

// replace writes body to a temporary file beside path and renames it to path: a reader sees the old content or the new
// one, and a link at path is replaced, never followed. Nothing is synced to disk: after a power failure the file is torn or
// expired.
func replace(path string, body []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), temporary(path)+"*"+temporarySuffix)
	if err != nil {
		return err
	}
	_, err = file.Write(body)
	// The probe may run as another user.
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// temporary is the prefix of the temporary files for path. It holds the process ID: a restarted container with
// the same ID finds what the last one left behind.
func temporary(path string) string {
	return fmt.Sprintf(".%s.%d.", filepath.Base(path), os.Getpid())
}

const temporarySuffix = ".tmp"

// sweep removes the temporary files of a killed process with our ID.
func (f *File) sweep() {
	dir := filepath.Dir(f.cfg.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the first write fails as well, and logs it
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, temporary(f.cfg.Path)) && strings.HasSuffix(name, temporarySuffix) {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
}

// detectOtherWriter logs, once per process, that the file is a valid one which another process has written since our last
// write.
func (f *File) detectOtherWriter() {
	if f.written == nil {
		return
	}
	body, err := readRegular(f.cfg.Path)
	if err != nil || bytes.Equal(body, f.written) {
		return
	}
	d, err := parseFile(body, time.Now())
	if err != nil || f.otherWriters[d.PID] {
		return
	}
	f.otherWriters[d.PID] = true
	f.log.LogAttrs(context.Background(), slog.LevelError, "health file is written by another process too",
		slog.Int("pid", os.Getpid()), slog.Int("other_pid", d.PID))
}

// remove deletes the file if it is ours.
func (f *File) remove() {
	if f.written == nil {
		return
	}
	body, err := readRegular(f.cfg.Path)
	if err == nil && !bytes.Equal(body, f.written) {
		return
	}
	if err := os.Remove(f.cfg.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.LogAttrs(context.Background(), slog.LevelError, "health file cannot be removed", slog.String("error", err.Error()))
	}
}

// withoutPath returns the system's error without the random name of a temporary file.
func withoutPath(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}
