package resource_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

// The fake host and the tree stand for a container; on a real machine resource.Checks(resource.Config{}) is enough.
func ExampleChecks() {
	container := fstest.MapFS{
		"proc/self/cgroup":             {Data: []byte("0::/\n")},
		"proc/self/mountinfo":          {Data: []byte("30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n")},
		"sys/fs/cgroup/memory.max":     {Data: []byte("536870912\n")},
		"sys/fs/cgroup/memory.current": {Data: []byte("322122547\n")},
	}
	checks, err := resource.Checks(resource.Config{
		Memory:    checker.Above(75),
		DiskPaths: []string{"/var/lib/app"},
		Host:      newMachine(),
		Files:     container,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, check := range checks {
		if check.Name == "open_files" {
			continue // depends on the machine that runs this example
		}
		m, err := check.Measure(context.Background())
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s: %s at %.1f%s %s, critical %v%s\n",
			check.Name, check.Title, m.Value, m.Unit, m.Source, check.Critical, m.Unit)
	}
	// Output:
	// cpu_usage: CPU usage at 0.0% of the host (4 CPUs) since the start, critical above 80%
	// memory_usage: Memory usage at 60.0% of the cgroup limit (512 MiB), critical above 75%
	// disk_usage: Disk usage at 50.0% of 2 GiB, critical above 90%
}

// Memory is known at once, CPU as the difference between two samples.
func ExampleNewSampler() {
	sampler, err := resource.NewSampler(resource.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	memory, err := sampler.Memory(context.Background())
	fmt.Println(memory > 0, memory <= 1, err)
	// Output: true true <nil>
}
