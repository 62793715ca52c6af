package resource_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

// Through a Checker: a full disk is critical, a dead mount unknown, and every name is one that a Checker takes.
func TestInAChecker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		host := newMachine()
		host.disk = func(path string) (resource.Usage, error) {
			if path == "/nfs" {
				<-release
			}
			return resource.Usage{Used: 95, Total: 100}, nil
		}
		list, err := config{Host: host, Files: tree(t, "docker-v2"), DiskPaths: []string{"/data", "/nfs"}}.checks()
		if err != nil {
			t.Fatal(err)
		}
		c, err := checker.New(checker.Config{Checks: list})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = c.Run(ctx) })
		time.Sleep(20 * time.Second)
		for name, want := range map[string]struct {
			status  checker.Status
			message string
		}{
			"memory_usage":     {checker.Healthy, "Memory usage at 37.5% of the cgroup limit (512 MiB)"},
			"disk_usage:/data": {checker.Critical, "Disk usage of /data at 95.0% of 100 B"},
			"disk_usage:/nfs":  {checker.Unknown, "Disk usage of /nfs has no recent result"},
		} {
			got, ok := c.Snapshot().Lookup(name)
			if !ok || got.Status != want.status || got.Message != want.message {
				t.Errorf("%s: got %+v, want %v, %q", name, got, want.status, want.message)
			}
		}
		if calls := host.calls("Disk"); calls > 8 {
			t.Errorf("the filesystems were asked %d times", calls)
		}
		cancel()
		running.Wait()
		close(release)
	})
}
