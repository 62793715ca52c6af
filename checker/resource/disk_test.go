package resource_test

import (
	"context"
	"errors"
	"testing"
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
