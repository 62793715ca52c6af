package resource_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

// TestRealFilesystems runs itself again where it may mount filesystems: full ones, one without inodes, and one that becomes
// read-only.
func TestRealFilesystems(t *testing.T) {
	if os.Getenv("RESOURCE_TEST_MOUNTS") == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", self, "-test.run=^TestRealFilesystems$", "-test.v")
		cmd.Env = append(os.Environ(), "RESOURCE_TEST_MOUNTS=1")
		switch out, err := cmd.CombinedOutput(); {
		case errors.Is(err, exec.ErrNotFound) || strings.Contains(string(out), "unshare failed"):
			t.Skip("no user namespaces here: ", string(out))
		case err != nil || strings.Contains(string(out), "SKIP"):
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	space, inodes, remounted, readOnly := tmpfs(t, "size=4m"), tmpfs(t, "size=4m,nr_inodes=21"), tmpfs(t, "size=4m"), tmpfs(t, "size=4m")
	checks, err := resource.Checks(resource.Config{
		DiskPaths: []string{space, inodes, remounted, readOnly, "/"},
		Limits:    map[string]checker.Limit{"disk_free:" + space: checker.Below(0.002), "disk_free:" + readOnly: checker.Below(0.002)},
	})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]checker.Check{}
	for _, check := range checks {
		byName[check.Name] = check
	}
	want := func(name string, value float64, source string) {
		t.Helper()
		m, err := byName[name].Measure(t.Context())
		if err != nil || m.Value < value-0.01 || m.Value > value+0.01 || m.Source != source {
			t.Errorf("%s: got %+v, %v; want %v %s", name, m, err, value, source)
		}
	}
	write(t, filepath.Join(space, "file"), 1<<20)
	for i := range 18 { // of 21, and one for the root
		write(t, filepath.Join(inodes, strconv.Itoa(i)), 0)
	}
	want("disk_usage:"+space, 25, "of 4 MiB")
	want("disk_free:"+space, 3.0/1024, "of 4 MiB")
	want("disk_usage:"+inodes, 100*19.0/21, "of 21 inodes")
	want("disk_usage:"+remounted, 0, "of 4 MiB")
	remount(t, remounted)
	remount(t, readOnly)
	want("disk_usage:"+remounted, 100, "of 4 MiB, read-only")
	want("disk_usage:"+readOnly, 100, "of 4 MiB, read-only")
	want("disk_free:"+readOnly, 0, "of 4 MiB, read-only")
}

func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
}
