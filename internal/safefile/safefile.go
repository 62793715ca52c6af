// Package regular reads files that somebody else may have put there: nothing but regular ones, and not more than they can
// hold, so that no pipe, no device and no endless file keeps the reader.
package safefile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Read returns what the file at path holds, at most limit bytes, and what was known of it then. It follows links, as
// operators like to use them; anything but a regular file is an error, and so is a longer one.
func Read(path string, limit int64) ([]byte, fs.FileInfo, error) { return read(path, 0, limit) }

// ReadUnlinked is Read for a file that must not be a link, on systems that can tell.
func ReadUnlinked(path string, limit int64) ([]byte, fs.FileInfo, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSymlink {
		return nil, nil, fmt.Errorf("%s is not a regular file but a link", path)
	}
	return read(path, noFollow, limit)
}

// read opens first and looks then: what is looked at before it is opened may be another thing by then.
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
	body, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(body)) > limit {
		return nil, nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return body, info, nil
}

// Same reports whether nothing can have changed between two looks at a file.
func Same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
