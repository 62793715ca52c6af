package resource_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func TestDiskUsage(t *testing.T) {
	host := newMachine()
	host.disk = func(path string) (resource.Usage, error) {
		if path == "/data" {
			return resource.Usage{Used: 90 << 30, Total: 100 << 30}, nil
		}
		return resource.Usage{Used: 1, Total: 0}, nil // a pseudo filesystem
	}
	checks := newChecks(t, config{Host: host, DiskPaths: []string{"/", "/data"}})
	wantMeasurement(t, measure(t, checks, "disk_usage:/data"), 90, "of 100 GiB")
	wantMeasurement(t, measure(t, checks, "disk_usage:/"), 0, "of 0 B")
	if title := checks["disk_usage:/data"].Title; title != "Disk usage of /data" {
		t.Errorf("title is %q", title)
	}
}

func TestStatesOfADisk(t *testing.T) {
	const gib = 1 << 30
	host := newMachine()
	var state resource.Disk
	host.state = func(string) resource.Disk { return state }
	low := map[string]checker.Limit{"disk_free": checker.Below(2), "disk_usage": checker.Above(90)}
	root, data := newChecks(t, config{Host: host, Limits: low}), newChecks(t, config{Host: host, Limits: low, DiskPaths: []string{"/data"}})
	if c := data["disk_free"]; c.Critical != checker.Below(2) || c.Warning != checker.Below(2.5) {
		t.Errorf("limits are %v and %v", c.Warning, c.Critical)
	}

	state = resource.Disk{Space: resource.Usage{Used: 73 << 40, Total: 80 << 40}, Inodes: resource.Usage{Used: 95, Total: 100}}
	wantMeasurement(t, measure(t, data, "disk_usage"), 95, "of 100 inodes")
	wantMeasurement(t, measure(t, data, "disk_free"), 7168, "of 80 TiB")

	state = resource.Disk{Space: resource.Usage{Used: gib, Total: 4 * gib}, ReadOnly: true}
	wantMeasurement(t, measure(t, data, "disk_usage"), 100, "of 4 GiB, read-only")
	wantMeasurement(t, measure(t, data, "disk_free"), 0, "of 4 GiB, read-only")
	wantMeasurement(t, measure(t, root, "disk_usage"), 25, "of 4 GiB") // the root of a container
	state.ReadOnly = false
	wantMeasurement(t, measure(t, root, "disk_usage"), 25, "of 4 GiB")
	state.ReadOnly = true
	wantMeasurement(t, measure(t, root, "disk_usage"), 100, "of 4 GiB, read-only")

	state = resource.Disk{Space: resource.Usage{Used: gib, Total: gib}, ReadOnly: true, Type: "squashfs"}
	wantMeasurement(t, measure(t, data, "disk_usage"), 0, "of an image, which is always full")
}

func TestImagesAreLeftOut(t *testing.T) {
	host := newMachine()
	mounts := `25 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
40 25 7:0 / /snap/core\0401 ro,nodev - squashfs /dev/loop0 ro
41 25 8:2 / /data rw - iso9660 /dev/sr0 ro
42 25 8:3 / /data rw - xfs /dev/sdb rw
`
	checks := newChecks(t, config{
		Host: host, Files: fstest.MapFS{"proc/self/mountinfo": {Data: []byte(mounts)}},
		DiskPaths: []string{"/", "/snap/core 1", "/snap/core 1/usr", "/snap/core 12", "/data/db"},
	})
	var names []string
	for name := range checks {
		if path, found := strings.CutPrefix(name, "disk_usage:"); found {
			names = append(names, path)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"/", "/data/db", "/snap/core 12"}) {
		t.Errorf("got checks of %q", names)
	}
	if host.calls("Disk") != 0 {
		t.Error("construction calls a filesystem")
	}
}

// A mount that hangs costs one goroutine, ends before the caller's patience does, and answers nothing late.
func TestHungMountIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		host := newMachine()
		full := resource.Usage{Used: 99, Total: 100}
		host.disk = func(path string) (resource.Usage, error) {
			if path == "/nfs" {
				<-release
			}
			return full, nil
		}
		checks := newChecks(t, config{Host: host, DiskPaths: []string{"/", "/nfs"}})
		if calls := host.calls("Disk"); calls != 0 {
			t.Fatalf("construction asked %d filesystems", calls)
		}
		for run := range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, err := checks["disk_usage:/nfs"].Measure(ctx)
			if !errors.Is(err, checker.ErrInconclusive) || ctx.Err() != nil {
				t.Fatalf("run %d: got %v, context %v; want no evidence in time", run, err, ctx.Err())
			}
			cancel()
			time.Sleep(30 * time.Second)
		}
		if calls := host.calls("Disk"); calls != 1 {
			t.Errorf("the dead mount was asked %d times, want once", calls)
		}
		wantMeasurement(t, measure(t, checks, "disk_usage:/"), 99, "of 100 B")

		close(release)
		synctest.Wait()
		full.Used = 10 // what the stuck call brought back is out of date and must not be seen
		wantMeasurement(t, measure(t, checks, "disk_usage:/nfs"), 10, "of 100 B")
	})
}

func TestConcurrentRunsShareOneCallToTheFilesystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newMachine()
		host.disk = func(string) (resource.Usage, error) {
			time.Sleep(10 * time.Millisecond)
			return resource.Usage{Used: 1, Total: 2}, nil
		}
		checks := newChecks(t, config{Host: host})
		for range 10 {
			go func() { wantMeasurement(t, measure(t, checks, "disk_usage"), 50, "of 2 B") }()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if calls := host.calls("Disk"); calls != 1 {
			t.Errorf("asked %d times, want once", calls)
		}
	})
}

func TestPanicOfTheHostReachesTheCaller(t *testing.T) {
	host := newMachine()
	host.disk = func(string) (resource.Usage, error) { panic("boom") }
	checks := newChecks(t, config{Host: host})
	defer func() {
		if got := recover(); got != "boom" {
			t.Errorf("recovered %v, want boom", got)
		}
	}()
	_, _ = checks["disk_usage"].Measure(t.Context())
	t.Error("no panic")
}

// Volumes in containers have paths that do not fit the name of a check.
func TestLongAndUnprintablePathsAreShortenedInNames(t *testing.T) {
	long := "/var/lib/kubelet/pods/0b1c2d3e/volumes/" + strings.Repeat("x", 200)
	paths := []string{"/", long + "/a", long + "/b", strings.Repeat("ü", 60), strings.Repeat("z", 117), "/new\nline", "/bad\xff"}
	host := newMachine()
	host.disk = func(path string) (resource.Usage, error) {
		if path == long+"/b" {
			return resource.Usage{Used: 30, Total: 100}, nil
		}
		return resource.Usage{Used: 20, Total: 100}, nil
	}
	list, err := config{Host: host, DiskPaths: paths, Limits: map[string]checker.Limit{"disk_usage:" + long + "/b": checker.Above(50)}}.checks()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checker.New(checker.Config{Checks: list}); err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(c checker.Check) bool { return !strings.HasPrefix(c.Name, "disk_usage:") })
	for i, check := range list {
		text := strings.TrimPrefix(check.Name, "disk_usage:")
		if check.Title != "Disk usage of "+text || (i == 0 || i == 4) != (text == paths[i]) {
			t.Errorf("%q has the name %q and the title %q", paths[i], check.Name, check.Title)
		}
		usage, limit := 20.0, checker.Above(90)
		if i == 2 {
			usage, limit = 30, checker.Above(50)
			if !strings.Contains(text, "xxx/b#") {
				t.Errorf("the end of the path is missing in %q", text)
			}
		}
		if got, err := check.Measure(t.Context()); err != nil || got.Value != usage || check.Critical != limit {
			t.Errorf("%s: %v of %v, %v", check.Name, got, check.Critical, err)
		}
	}
}

// Not parallel: it changes the working directory.
func TestRelativeDiskPathSurvivesChdir(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	host := newMachine()
	var asked string
	host.disk = func(path string) (resource.Usage, error) { asked = path; return resource.Usage{Used: 1, Total: 2}, nil }
	checks := newChecks(t, config{Host: host, DiskPaths: []string{"data"}})
	t.Chdir("/")
	measure(t, checks, "disk_usage")
	if asked != filepath.Join(dir, "data") {
		t.Errorf("measures %q after chdir", asked)
	}
}
