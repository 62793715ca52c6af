package resource_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func ExampleChecks() {
	checks, err := resource.Checks(resource.Config{
		Memory:    checker.Above(75),
		Limits:    map[string]checker.Limit{"goroutines": checker.Above(10_000), "cpu_usage": {}, "open_files": {}, "pids": {}},
		DiskPaths: []string{"/"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, check := range checks {
		fmt.Printf("%s: warning %v, critical %v\n", check.Name, check.Warning, check.Critical)
	}
	// Output:
	// memory_usage: warning above 60, critical above 75
	// disk_usage: warning above 72, critical above 90
	// goroutines: warning above 8000, critical above 10000
}

// CPU use is the difference between two samples.
func ExampleSampleCPU() {
	ctx := context.Background()
	before, err := resource.SampleCPU(ctx, resource.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	time.Sleep(100 * time.Millisecond)
	now, err := resource.SampleCPU(ctx, resource.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	share, err := now.Since(before)
	fmt.Println(share >= 0, err)
	// Output: true <nil>
}

func ExampleMemoryUsage() {
	share, err := resource.MemoryUsage(context.Background(), resource.Config{})
	fmt.Println(share > 0 && share <= 1, err)
	// Output: true <nil>
}

// The same text as go run ./examples/resources prints.
func ExampleExplain() {
	text, err := resource.Explain(context.Background(), resource.Config{})
	fmt.Println(strings.Contains(text, "used / (used + available)"), err)
	// Output: true <nil>
}
