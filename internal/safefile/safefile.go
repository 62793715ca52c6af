// Package safefile reads and writes files in directories that other users may write to: regular files of a bounded size only, so that a
// pipe, a device or a huge file cannot block the program.
package safefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Read returns the content of the regular file at path and its FileInfo. It follows symbolic links. A file of more than
// limit bytes is an error.
func Read(path string, limit int64) ([]byte, fs.FileInfo, error) { return read(path, 0, limit) }

// ReadUnlinked is Read without following a symbolic link as the last element of path.
func ReadUnlinked(path string, limit int64) ([]byte, fs.FileInfo, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSymlink {
		return nil, nil, fmt.Errorf("%s is a symbolic link, want a regular file", path)
	}
	return read(path, noFollow, limit)
}

// read opens the file before it checks the type, because the path may change in between.
func read(path string, flags int, limit int64) ([]byte, fs.FileInfo, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|noWait|flags, 0)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", path)
	}
	tooLong := fmt.Errorf("%s is longer than %d bytes", path, limit)
	if info.Size() > limit {
		return nil, nil, tooLong
	}
	body, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(body)) > limit {
		return nil, nil, tooLong
	}
	return body, info, nil
}

// Abs returns path relative to the root, so that it stays the same file when the program changes its working directory.
// It returns "" as it is, and every path if there is no working directory.
func Abs(path string) string {
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Same reports whether a and b are the same file, unchanged.
func Same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// Overwrite makes body the content of the regular file at path, which it creates if there is none. Unlike a replacement it
// works where the file is a mount, as in a container, and a reader may see a part of it.
func Overwrite(path string, body []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|noWait|noFollow, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is not a regular file", path)
	default:
		_, err = file.WriteAt(body, 0)
		err = errors.Join(err, file.Truncate(int64(len(body))))
	}
	return errors.Join(err, file.Close())
}
