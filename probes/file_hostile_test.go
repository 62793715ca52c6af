//go:build unix

package probes_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vitals-go/vitals/probes"
)

// A neighbour in a shared folder exchanges the file for a pipe and back, so that what was looked at is another thing when
// it is opened. A reader that waits for somebody to write to the pipe would wait for ever, and the writer, which looks
// for rivals, with it.
func TestPipeAtTheFilePathDoesNotBlock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "health")
	done := make(chan struct{})
	var neighbour sync.WaitGroup
	neighbour.Go(func() {
		next := filepath.Join(dir, "next")
		for {
			select {
			case <-done:
				return
			default:
				_ = syscall.Mkfifo(next, 0o600)
				_ = os.Rename(next, path)
				_ = os.WriteFile(next, []byte("{}"), 0o600)
				_ = os.Rename(next, path)
			}
		}
	})
	read := make(chan struct{})
	go func() {
		defer close(read)
		for range 30_000 {
			_, _ = probes.ReadFile(path)
		}
	}()
	select {
	case <-read:
	case <-time.After(5 * time.Minute): // a slow machine takes one for all of them
		t.Error("a reader hangs")
		if pipe, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			pipe.Close()
		}
	}
	close(done)
	neighbour.Wait()
}

func TestFilesThatHaveNoEndAreNotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 1<<40); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(huge, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{huge, pipe, link, dir, "/dev/zero", "/dev/null"} {
		if _, err := probes.ReadFile(path); err == nil {
			t.Errorf("%s is believed", path)
		}
	}
}
