package probes_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/probes"
)

// A full disk must not tear the file that is there: readers see the last whole one until it expires.
func TestFullDiskLeavesTheLastFileWhole(t *testing.T) {
	disk := tinyDisk(t)
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(disk, "health")
		log := &testLog{}
		defer running(t, newFile(t, probes.FileConfig{Source: newScript(healthyReport()), Path: path, Logger: log.logger()}))()
		synctest.Wait()
		before, err := probes.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		filler := filepath.Join(disk, "filler")
		if err := os.WriteFile(filler, make([]byte, 64<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling the disk: %v, want %v", err, syscall.ENOSPC)
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		after, err := probes.ReadFile(path)
		if err != nil || !after.Timestamp.Equal(before.Timestamp) {
			t.Errorf("on a full disk the file says %+v (%v), want what it said before: %+v", after, err, before)
		}
		if got := log.count("cannot be written"); got != 1 {
			t.Errorf("the full disk made %d log lines, want 1", got)
		}
		if leftovers, _ := filepath.Glob(filepath.Join(disk, "*")); len(leftovers) != 2 {
			t.Errorf("left on the full disk: %v", leftovers)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if again, err := probes.ReadFile(path); err != nil || !again.Timestamp.After(before.Timestamp) {
			t.Errorf("five seconds after there is room again: %+v, %v", again, err)
		}
	})
}

// tinyDisk mounts a file system of 16 KiB.
func tinyDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skip("mounting a small file system needs root:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
